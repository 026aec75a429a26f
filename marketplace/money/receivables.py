"""Receivables: what we expect from an organisation, each with its own reference."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from marketplace.core.db import db
from marketplace.core.errors import Refused
from marketplace.core.i18n import _l
from marketplace.money.locks import lock_receivables
from marketplace.money.models import Receivable
from marketplace.money.references import new_reference


def open_receivable(
    purpose: str, lot_id: int, org_id: int, amount_minor: int, currency: str, due_at: datetime | None
) -> Receivable:
    """The one receivable of this purpose, lot and organisation; made with a fresh reference where missing.

    Refuses ``receivable_differs`` when one of another amount already stands.
    """
    known = select(Receivable.id).where(
        Receivable.purpose == purpose, Receivable.lot_id == lot_id, Receivable.org_id == org_id
    )
    found = db.session.scalar(known)
    while found is None:  # a new reference that happens to exist already is thrown again
        row = insert(Receivable).values(
            purpose=purpose,
            lot_id=lot_id,
            org_id=org_id,
            reference=new_reference(),
            currency=currency,
            amount_minor=amount_minor,
            due_at=due_at,
        )
        db.session.execute(row.on_conflict_do_nothing())
        found = db.session.scalar(known)
    receivable = lock_receivables([found])[found]
    if receivable.amount_minor != amount_minor or receivable.currency != currency:
        raise Refused("receivable_differs", _l("已有一笔金额不同的应收款"))
    return receivable
