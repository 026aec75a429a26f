"""Handlers of deadlines, outbox topics and approvals of this room; imported once at start."""

from __future__ import annotations

from marketplace.core import deadlines
from marketplace.core.db import db
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.core.money import format_minor
from marketplace.money import confirmations, orders
from marketplace.money.models import Payout
from marketplace.money.payouts import DEADLINE
from marketplace.parties.notices import notify_managers


@deadlines.on_due(DEADLINE)
def payout_is_due(payout_id: int) -> None:
    """The time for paying out has come. Paying needs two people and the bank, so the managers are told; until then
    the desk shows it in red. A returned credit is due when it is found, and is not announced."""
    payout = db.session.get(Payout, payout_id)
    if payout is None or payout.state not in ("due", "ordered") or payout.purpose == "line_return":
        return
    record("payout.overdue", "payout", payout_id, org_id=payout.org_id, lot_id=payout.lot_id)
    notify_managers(
        _l("有款项到期未付"),
        _l("一笔应付款 %(amount)s 已到期，请立即处理。", amount=format_minor(payout.amount_minor, payout.currency)),
        link="/manage/money",
        dedupe_key=f"payout.overdue:{payout_id}:{payout.due_at.isoformat()}",
    )


__all__ = ["confirmations", "orders", "payout_is_due"]
