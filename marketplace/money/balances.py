"""The balance of the price (余款) and the proceeds to the seller's side."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from marketplace.core.actor import SYSTEM, Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.money import ledger
from marketplace.money.locks import lock_receivables
from marketplace.money.models import Payout, Receivable
from marketplace.money.payouts import owe
from marketplace.money.receivables import open_receivable


def open_balance(
    lot_id: int,
    org_id: int,
    amount_minor: int,
    currency: str,
    due_at: datetime,
    *,
    actor: Actor = SYSTEM,
) -> Receivable:
    """What the winner still owes, with its reference. 0 (the deposit covers the price) is paid at once: event
    ``balance.paid``. Asking again gives the same receivable; another amount is refused: ``receivable_differs``."""
    receivable = open_receivable("balance", lot_id, org_id, amount_minor, currency, due_at)
    if receivable.state == "open" and amount_minor == 0:
        receivable.state = "paid"
        db.session.flush()
        tell_paid(receivable, actor)
    return receivable


def tell_paid(receivable: Receivable, actor: Actor) -> None:
    record(
        "balance.paid",
        "lot",
        receivable.lot_id,
        actor,
        lot_id=receivable.lot_id,
        org_id=receivable.org_id,
        receivable_id=receivable.id,
    )


def receive(receivable: Receivable, amount_minor: int, actor: Actor) -> int:
    """Take up to what is missing of a locked receivable; 0 when it is closed. The caller writes the ledger."""
    if receivable.state != "open":
        return 0
    taken = min(amount_minor, receivable.amount_minor - receivable.received_minor)
    receivable.received_minor += taken
    if receivable.received_minor == receivable.amount_minor:
        receivable.state = "paid"
    return taken


def cancel_balance(lot_id: int, org_id: int, due_at: datetime, actor: Actor) -> int:
    """The buyer defaulted: nothing more is expected, later money goes back at once, and a part that was paid is
    owed back by ``due_at``. Returns that part (0 when none). Refuses ``balance_paid`` when all was paid."""
    found = db.session.scalar(
        select(Receivable.id).where(
            Receivable.purpose == "balance", Receivable.lot_id == lot_id, Receivable.org_id == org_id
        )
    )
    if found is None:
        return 0
    receivable = lock_receivables([found])[found]
    if receivable.state == "paid":
        raise Refused("balance_paid", _l("余款已经付清"))
    if receivable.state == "open":
        receivable.state = "cancelled"
        if receivable.received_minor:
            owe(
                "balance_return",
                receivable.received_minor,
                due_at,
                currency=receivable.currency,
                lot_id=lot_id,
                org_id=org_id,
                receivable_id=receivable.id,
            )
        record("balance.cancelled", "lot", lot_id, actor, lot_id=lot_id, org_id=org_id)
    return receivable.received_minor


def owe_proceeds(
    lot_id: int, seller_org_id: int, actor: Actor, *, due_at: datetime | None = None, currency: str = "CNY"
) -> Payout | None:
    """Owe the seller what was received for the lot (the simple settlement; its split over creditors comes later).

    Once for each lot: asking again gives the same payout. Refuses ``price_not_paid`` while the balance is open.
    None when nothing was received (a creditor who bought against its own claim).
    """
    balances = db.session.scalars(
        select(Receivable)
        .where(Receivable.purpose == "balance", Receivable.lot_id == lot_id)
        .order_by(Receivable.id)
        .with_for_update(key_share=True)
    ).all()
    known = db.session.scalar(
        select(Payout).where(Payout.lot_id == lot_id, Payout.purpose == "proceeds", Payout.state != "cancelled")
    )
    if known is not None:
        return known
    if not any(r.state == "paid" for r in balances) or any(r.state == "open" for r in balances):
        raise Refused("price_not_paid", _l("价款尚未付清，暂不能向处置方付款"))
    returned = db.session.scalar(
        select(db.func.coalesce(db.func.sum(Payout.amount_minor), 0)).where(
            Payout.lot_id == lot_id, Payout.purpose == "balance_return", Payout.state.in_(("due", "ordered"))
        )
    )
    amount = -ledger.balance(ledger.price_of(lot_id), currency).posted_minor - int(returned or 0)
    if amount <= 0:
        return None
    ledger.transfer(
        ledger.transfer_id("proceeds.owe", lot_id),
        "proceeds.owe",
        "lot",
        lot_id,
        ledger.between(ledger.price_of(lot_id), ledger.payable_to(seller_org_id), amount),
        actor,
        currency=currency,
    )
    payout = owe("proceeds", amount, due_at or now(), currency=currency, lot_id=lot_id, org_id=seller_org_id)
    record("proceeds.owed", "lot", lot_id, actor, lot_id=lot_id, org_id=seller_org_id, amount_minor=amount)
    return payout
