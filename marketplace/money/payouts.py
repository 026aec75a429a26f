"""What we owe: money that waits for a release order, with the time by which it must go."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from marketplace.core import deadlines
from marketplace.core.actor import PLATFORM
from marketplace.core.db import db
from marketplace.money.models import Payout

DEADLINE = "deposit.release"


def owe(
    purpose: str,
    amount_minor: int,
    due_at: datetime,
    *,
    currency: str,
    lot_id: int | None = None,
    org_id: int | None = None,
    deposit_id: int | None = None,
    line_id: int | None = None,
    receivable_id: int | None = None,
) -> Payout:
    """Owe ``amount_minor`` by ``due_at``; the source is held once only (unique). Shows on the managers' desk and
    in the deadlines."""
    row = Payout(
        purpose=purpose,
        amount_minor=amount_minor,
        due_at=due_at,
        currency=currency,
        lot_id=lot_id,
        org_id=org_id,
        deposit_id=deposit_id,
        line_id=line_id,
        receivable_id=receivable_id,
    )
    db.session.add(row)
    db.session.flush()
    deadlines.schedule(DEADLINE, "payout", row.id, due_at, platform_id())
    return row


def platform_id() -> int | None:
    """The platform's own organisation, whose next step a payout is."""
    from marketplace.parties.models import Organisation

    return db.session.scalar(
        select(Organisation.id).where(Organisation.kind == PLATFORM).order_by(Organisation.id).limit(1)
    )
