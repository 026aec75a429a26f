"""Deposits (保证金): opened with a reference, held when paid, then applied, released or forfeited, each once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from marketplace.core.actor import SYSTEM, Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import NotFound, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.money import ledger
from marketplace.money.locks import lock_deposit, lock_deposits_of_lot, lock_receivables
from marketplace.money.models import Deposit, Receivable
from marketplace.money.payouts import owe
from marketplace.money.receivables import open_receivable


def open_deposit(
    lot_id: int,
    org_id: int,
    registration_id: int,
    amount_minor: int,
    currency: str,
    due_at: datetime | None,
    *,
    waiver: str | None = None,
    actor: Actor = SYSTEM,
) -> Deposit:
    """The deposit of this organisation for this round, with its payment reference.

    Amount 0 (the creditor's waiver, 网拍规定 art. 17) holds at once: state ``waived``, event ``deposit.held``.
    Asking again gives the same deposit; one that was cancelled unpaid is opened again. Refuses
    ``deposit_differs`` when another amount or registration stands.
    """
    deposit = lock_deposit(lot_id, org_id)
    if deposit is not None:
        if (deposit.amount_minor, deposit.registration_id) != (amount_minor, registration_id):
            raise Refused("deposit_differs", _l("该竞买人在本标的已有一笔不同的保证金"))
        if deposit.state != "cancelled":
            return deposit
    else:
        deposit = Deposit(
            lot_id=lot_id, org_id=org_id, registration_id=registration_id, amount_minor=amount_minor, currency=currency
        )
        db.session.add(deposit)
    deposit.ended_at = None
    if amount_minor == 0:
        deposit.state, deposit.waiver, deposit.held_at = "waived", waiver or "creditor", now()
        db.session.flush()
        tell_held(deposit, actor)
        return deposit
    receivable = open_receivable("deposit", lot_id, org_id, amount_minor, currency, due_at)
    receivable.state, receivable.due_at = "open", due_at
    deposit.state, deposit.receivable_id = "due", receivable.id
    db.session.flush()
    record("deposit.opened", "deposit", deposit.id, actor, lot_id=lot_id, org_id=org_id, amount_minor=amount_minor)
    return deposit


def tell_held(deposit: Deposit, actor: Actor) -> None:
    record(
        "deposit.held",
        "deposit",
        deposit.id,
        actor,
        lot_id=deposit.lot_id,
        org_id=deposit.org_id,
        registration_id=deposit.registration_id,
    )


def receive(deposit: Deposit, receivable: Receivable, amount_minor: int, actor: Actor) -> int:
    """Take up to what is missing from a confirmed payment; returns what was taken (0 for an ended deposit).

    Both rows are locked. Less than the rest keeps waiting for the rest. The caller writes the ledger.
    """
    if deposit.state != "due":
        return 0
    taken = min(amount_minor, receivable.amount_minor - receivable.received_minor)
    receivable.received_minor += taken
    deposit.held_minor += taken
    if deposit.held_minor == deposit.amount_minor:
        receivable.state, deposit.state, deposit.held_at = "paid", "held", now()
    return taken


def release_lot_deposits(lot_id: int, keep_org_ids: Collection[int], due_at: datetime, actor: Actor) -> int:
    """After the hammer: what is held for the lot goes back by ``due_at`` (24 hours, 网拍规定 art. 23), except to
    ``keep_org_ids``; unpaid deposits are cancelled, also theirs. Doing it again changes nothing. Returns how many
    go back."""
    count = 0
    for deposit in lock_deposits_of_lot(lot_id):
        if deposit.org_id not in keep_org_ids or deposit.state == "due":
            count += _release(deposit, due_at, actor)
    db.session.flush()
    return count


def release_deposit(lot_id: int, org_id: int, due_at: datetime, actor: Actor) -> bool:
    """Give one organisation's deposit back by ``due_at`` (a withdrawn registration, a backup winner who is free).
    True when money goes back."""
    return _release(_known(lot_id, org_id), due_at, actor)


def _release(deposit: Deposit, due_at: datetime, actor: Actor) -> bool:
    """One locked deposit: owe what is available, or end it when nothing came in."""
    if deposit.state not in ("due", "held", "waived"):
        return False
    _close_receivable(deposit)
    amount = deposit.available_minor
    if amount == 0:
        deposit.state, deposit.ended_at = "cancelled", now()
        record("deposit.cancelled", "deposit", deposit.id, actor, lot_id=deposit.lot_id, org_id=deposit.org_id)
        return False
    _owe_back(deposit, amount, due_at, actor)
    return True


def _owe_back(deposit: Deposit, amount_minor: int, due_at: datetime, actor: Actor) -> None:
    deposit.state, deposit.release_due_at = "release_due", due_at
    owe(
        "deposit_release",
        amount_minor,
        due_at,
        currency=deposit.currency,
        lot_id=deposit.lot_id,
        org_id=deposit.org_id,
        deposit_id=deposit.id,
    )
    record(
        "deposit.release_due",
        "deposit",
        deposit.id,
        actor,
        lot_id=deposit.lot_id,
        org_id=deposit.org_id,
        amount_minor=amount_minor,
    )


def _close_receivable(deposit: Deposit) -> None:
    if deposit.receivable_id is not None:
        receivable = lock_receivables([deposit.receivable_id])[deposit.receivable_id]
        if receivable.state == "open":
            receivable.state = "cancelled"


def apply_deposit(
    lot_id: int, org_id: int, amount_minor: int | None = None, actor: Actor = SYSTEM, *, due_at: datetime | None = None
) -> int:
    """The winner's deposit counts toward the price (网拍规定 art. 25); at most ``amount_minor`` of it (the price),
    the rest goes back by ``due_at``. Returns what was applied; a waived deposit applies 0.

    Doing it again returns the same amount. Refuses ``deposit_not_held``.
    """
    deposit = _known(lot_id, org_id)
    if deposit.applied_minor or (deposit.state == "applied"):
        return deposit.applied_minor
    if deposit.state == "waived":
        deposit.state, deposit.ended_at = "applied", now()
        return 0
    if deposit.state != "held":
        raise Refused("deposit_not_held", _l("保证金未处于已到账状态，不能抵作价款"))
    part = deposit.available_minor if amount_minor is None else min(deposit.available_minor, amount_minor)
    if part > 0:
        ledger.transfer(
            ledger.transfer_id("deposit.apply", deposit.id),
            "deposit.apply",
            "deposit",
            deposit.id,
            ledger.between(ledger.deposits_of(lot_id), ledger.price_of(lot_id), part),
            actor,
            currency=deposit.currency,
        )
    deposit.applied_minor += part
    _end(deposit, "applied", due_at, actor)
    record("deposit.applied", "deposit", deposit.id, actor, lot_id=lot_id, org_id=org_id, amount_minor=part)
    return part


Split = Mapping[str, int] | Sequence[tuple[str, int]]


def forfeit_deposit(lot_id: int, org_id: int, split: Split, actor: Actor, *, due_at: datetime | None = None) -> int:
    """The defaulting buyer loses the deposit (悔拍, 网拍规定 art. 24).

    ``split`` is ``(use, minor units)`` in the order of the profile: ``costs``, ``shortfall``, ``debt``,
    ``related_debt``. What it leaves over goes back by ``due_at``. A deposit already applied to the price is taken
    back from there first. Returns what was forfeited; doing it again returns the same. Refuses
    ``deposit_not_held`` and ``split_too_large``.
    """
    deposit = _known(lot_id, org_id)
    if deposit.forfeited_minor or deposit.state == "forfeited":
        return deposit.forfeited_minor
    if deposit.state not in ("held", "applied", "waived"):
        raise Refused("deposit_not_held", _l("保证金未处于已到账状态，不能没收"))
    parts = [(use, amount) for use, amount in (split.items() if isinstance(split, Mapping) else split) if amount]
    total = sum(amount for _use, amount in parts)
    if any(amount < 0 for _use, amount in parts) or total > deposit.available_minor + deposit.applied_minor:
        raise Refused("split_too_large", _l("没收的分配金额超过已到账的保证金"))
    if deposit.applied_minor:
        ledger.transfer(
            ledger.transfer_id("deposit.unapply", deposit.id),
            "deposit.unapply",
            "deposit",
            deposit.id,
            ledger.between(ledger.price_of(lot_id), ledger.deposits_of(lot_id), deposit.applied_minor),
            actor,
            currency=deposit.currency,
        )
        deposit.applied_minor, deposit.state = 0, "held"
    if total > 0:
        legs = [ledger.Leg(ledger.deposits_of(lot_id), total)]
        legs += [ledger.Leg(ledger.forfeited_for(lot_id, use), -amount) for use, amount in parts]
        ledger.transfer(
            ledger.transfer_id("deposit.forfeit", deposit.id),
            "deposit.forfeit",
            "deposit",
            deposit.id,
            legs,
            actor,
            currency=deposit.currency,
            order=[use for use, _amount in parts],
        )
    deposit.forfeited_minor = total
    _end(deposit, "forfeited", due_at, actor)
    record(
        "deposit.forfeited", "deposit", deposit.id, actor, lot_id=lot_id, org_id=org_id, split=[list(p) for p in parts]
    )
    return total


def _end(deposit: Deposit, state: str, due_at: datetime | None, actor: Actor) -> None:
    """Applied or forfeited; a rest goes back, and then the deposit ends as released."""
    left = deposit.available_minor
    if left > 0:
        _owe_back(deposit, left, due_at or now(), actor)
    else:
        deposit.state, deposit.ended_at = state, now()
    db.session.flush()


def _known(lot_id: int, org_id: int) -> Deposit:
    """One deposit with all others of its lot locked: what ends one goes on to release the others."""
    deposit = next((row for row in lock_deposits_of_lot(lot_id) if row.org_id == org_id), None)
    if deposit is None:
        raise NotFound("deposit_unknown", _l("没有这笔保证金"))
    return deposit
