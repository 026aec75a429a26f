"""The double-entry ledger: immutable transfers, each balanced, each sent once under an id its caller made.

Debit is positive: money on our bank account is positive, what we owe for it negative. A transfer is ``single``
(counts at once) or ``pending`` (an intent: counts when ``post`` follows, never when ``void`` follows).
Locks (house order): statement line → deposit → receivable → payout → ledger account.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from marketplace.core.actor import Actor
from marketplace.core.db import db
from marketplace.core.errors import NotFound, Refused
from marketplace.core.i18n import _l
from marketplace.money.models import LedgerAccount, LedgerEntry, LedgerTransfer

NAMESPACE = uuid.UUID("6f0e3c52-4a5e-5d0b-9a51-6d6f6e657930")
BANK = "bank:platform"
SUSPENSE = "suspense"


def deposits_of(lot_id: int) -> str:
    """Deposits held for a lot (we owe them)."""
    return f"deposits:lot:{lot_id}"


def price_of(lot_id: int) -> str:
    """Price received for a lot: applied deposit and balance (we owe it to the seller's side)."""
    return f"price:lot:{lot_id}"


def payable_to(org_id: int) -> str:
    """Proceeds that an organisation is to get."""
    return f"payable:org:{org_id}"


def forfeited_for(lot_id: int, use: str) -> str:
    """A forfeited deposit's part for one use: ``costs``, ``shortfall``, ``debt`` …"""
    return f"forfeited:{use}:lot:{lot_id}"


@dataclass(frozen=True)
class Leg:
    """One entry: debit positive, credit negative, minor units."""

    account: str
    amount_minor: int


@dataclass(frozen=True)
class Balance:
    """One account. ``posted_minor`` counts; ``pending_minor`` is still undecided and comes on top if posted."""

    code: str
    currency: str
    posted_minor: int
    pending_minor: int


def transfer_id(purpose: str, *keys: object) -> uuid.UUID:
    """The id of the one transfer of this purpose for these things: a repeated job makes the same id."""
    return uuid.uuid5(NAMESPACE, ":".join([purpose, *map(str, keys)]))


def between(debit: str, credit: str, amount_minor: int) -> list[Leg]:
    """The two legs of moving ``amount_minor`` (positive) from ``credit`` to ``debit``."""
    return [Leg(debit, amount_minor), Leg(credit, -amount_minor)]


def accounts(codes: Sequence[str], currency: str) -> dict[str, int]:
    """Ids of these accounts, made where missing (in order of code, so that two makers never wait in a ring)."""
    wanted = sorted(set(codes))
    table = LedgerAccount
    known = select(table.code, table.id).where(table.code.in_(wanted), table.currency == currency)
    ids = {row.code: row.id for row in db.session.execute(known)}
    missing = [code for code in wanted if code not in ids]
    for code in missing:
        row = insert(table).values(code=code, currency=currency)
        db.session.execute(row.on_conflict_do_nothing(index_elements=["code", "currency"]))
    if missing:
        ids = {row.code: row.id for row in db.session.execute(known)}
    return ids


def transfer(
    id: uuid.UUID,
    purpose: str,
    subject: str,
    subject_id: int,
    legs: Sequence[Leg],
    actor: Actor,
    *,
    currency: str = "CNY",
    pending: bool = False,
    **data: Any,
) -> uuid.UUID:
    """Write a transfer. Zero legs fall away. The same id with the same content is the same transfer; with other
    content it is refused: ``transfer_reused``. A transfer that does not balance is a programming error."""
    kept = [leg for leg in legs if leg.amount_minor != 0]
    if len(kept) < 2 or sum(leg.amount_minor for leg in kept) != 0:
        raise ValueError(f"the legs of {purpose} do not balance")
    phase = "pending" if pending else "single"
    row = insert(LedgerTransfer).values(
        id=id,
        phase=phase,
        legs=len(kept),
        purpose=purpose,
        subject=subject,
        subject_id=subject_id,
        user_id=actor.user_id,
        data=data,
    )
    made = db.session.execute(
        row.on_conflict_do_nothing(index_elements=["id"]).returning(LedgerTransfer.id)
    ).scalar_one_or_none()
    if made is None:
        _same_or_refuse(id, (phase, purpose, subject, subject_id), kept, currency)
        return id
    ids = accounts([leg.account for leg in kept], currency)
    db.session.execute(
        insert(LedgerEntry),
        [{"transfer_id": id, "account_id": ids[leg.account], "amount_minor": leg.amount_minor} for leg in kept],
    )
    return id


def _same_or_refuse(id: uuid.UUID, head: tuple[str, str, str, int], legs: Sequence[Leg], currency: str) -> None:
    old = db.session.execute(
        select(LedgerTransfer.phase, LedgerTransfer.purpose, LedgerTransfer.subject, LedgerTransfer.subject_id).where(
            LedgerTransfer.id == id
        )
    ).one()
    entries = db.session.execute(
        select(LedgerAccount.code, LedgerEntry.amount_minor, LedgerAccount.currency)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(LedgerEntry.transfer_id == id)
    )
    was = sorted((code, amount, cur) for code, amount, cur in entries)
    if tuple(old) != head or was != sorted((leg.account, leg.amount_minor, currency) for leg in legs):
        raise Refused("transfer_reused", _l("该笔记账编号已用于另一笔不同的记账"))


def post(pending_id: uuid.UUID, actor: Actor) -> uuid.UUID:
    """The intent happened: it counts from now on. Posting twice is the same as once; after a void it is refused:
    ``transfer_finished``."""
    return _finish(pending_id, "post", actor)


def void(pending_id: uuid.UUID, actor: Actor) -> uuid.UUID:
    """The intent did not happen and never counts. Voiding twice is the same as once; after a post it is refused:
    ``transfer_finished``."""
    return _finish(pending_id, "void", actor)


def _finish(pending_id: uuid.UUID, phase: str, actor: Actor) -> uuid.UUID:
    first = db.session.execute(
        select(LedgerTransfer.phase, LedgerTransfer.purpose, LedgerTransfer.subject, LedgerTransfer.subject_id).where(
            LedgerTransfer.id == pending_id
        )
    ).one_or_none()
    if first is None or first.phase != "pending":
        raise NotFound("transfer_not_pending", _l("没有这笔待定的记账"))
    new_id = transfer_id(phase, pending_id)
    row = insert(LedgerTransfer).values(
        id=new_id,
        phase=phase,
        legs=0,
        pending_id=pending_id,
        purpose=first.purpose,
        subject=first.subject,
        subject_id=first.subject_id,
        user_id=actor.user_id,
    )
    made = db.session.execute(row.on_conflict_do_nothing().returning(LedgerTransfer.id)).scalar_one_or_none()
    if made is None:
        was = db.session.scalar(select(LedgerTransfer.phase).where(LedgerTransfer.pending_id == pending_id))
        if was != phase:
            raise Refused("transfer_finished", _l("这笔待定的记账已经了结"))
    return new_id


def trial_balance(codes: Collection[str] | None = None) -> list[Balance]:
    """Every account (or those with these codes), by code; the posted and the pending column each sum to zero over
    all accounts."""
    follower = aliased(LedgerTransfer)
    counts = (LedgerTransfer.phase == "single") | (follower.phase == "post")
    undecided = (LedgerTransfer.phase == "pending") & (follower.id.is_(None))
    rows = db.session.execute(
        select(
            LedgerAccount.code,
            LedgerAccount.currency,
            func.coalesce(func.sum(LedgerEntry.amount_minor).filter(counts), 0),
            func.coalesce(func.sum(LedgerEntry.amount_minor).filter(undecided), 0),
        )
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .join(LedgerTransfer, LedgerTransfer.id == LedgerEntry.transfer_id)
        .outerjoin(follower, follower.pending_id == LedgerTransfer.id)
        .where(true() if codes is None else LedgerAccount.code.in_(codes))
        .group_by(LedgerAccount.code, LedgerAccount.currency)
        .order_by(LedgerAccount.code, LedgerAccount.currency)
    )
    return [Balance(code, currency, int(posted), int(pending)) for code, currency, posted, pending in rows]


def balance(code: str, currency: str = "CNY") -> Balance:
    """One account; zero when nothing was ever written to it."""
    return balances([code], currency)[code]


def balances(codes: Collection[str], currency: str = "CNY") -> dict[str, Balance]:
    """Several accounts in one statement; zero for those to which nothing was ever written."""
    found = {b.code: b for b in trial_balance(codes) if b.currency == currency}
    return {code: found.get(code) or Balance(code, currency, 0, 0) for code in codes}
