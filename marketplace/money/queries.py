"""Reads of the money room that other rooms may use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Exists, ScalarSelect, Text, cast, exists, func, literal, select, union_all

from marketplace.core.db import db
from marketplace.core.models import Approval
from marketplace.core.money import format_minor
from marketplace.money import ledger
from marketplace.money.models import (
    Deposit,
    Payout,
    Receivable,
    ReleaseItem,
    ReleaseOrder,
    StatementImport,
    StatementLine,
)


@dataclass(frozen=True)
class LotMoney:
    """The money of one lot in minor units, by the ledger.

    ``price_received_minor`` = deposit applied + balance received, before anything went to the seller.
    """

    lot_id: int
    deposits_held_minor: int
    deposit_applied_minor: int
    forfeited_minor: int
    balance_due_minor: int
    balance_received_minor: int
    price_received_minor: int
    proceeds_minor: int  # owed or paid to the seller
    proceeds_paid_minor: int
    deposits_to_release: int


@dataclass
class AtStake:
    """The money that an approval moves: how many credits or payments, their sum in minor units by currency, and the
    payers of credits or the payees of an order, each once, in the bank's words (empty where it names nobody)."""

    count: int = 0
    sums: dict[str, int] = field(default_factory=dict)
    parties: list[str] = field(default_factory=list)


def at_stake(approvals: Iterable[Approval]) -> dict[int, AtStake]:
    """What each of these approvals is about, by approval id; those of other rooms are left out. One statement
    however many there are, none where no money waits."""
    by_line: dict[int, int] = {}
    by_order: dict[int, list[int]] = {}
    for row in approvals:
        if not row.kind.startswith("money."):
            continue
        if row.subject == "release_order":
            by_order.setdefault(row.subject_id, []).append(row.id)
        by_line |= {item["line_id"]: row.id for item in row.data.get("lines", [])}
    if not by_line and not by_order:
        return {}
    credits = select(
        literal("line").label("what"),
        StatementLine.id.label("of"),
        StatementLine.id,
        StatementLine.amount_minor,
        StatementLine.currency,
        StatementLine.payer_name.label("party"),
    ).where(StatementLine.id.in_(by_line))
    payments = (
        select(
            literal("order"),
            ReleaseItem.order_id,
            ReleaseItem.id,
            ReleaseItem.amount_minor,
            ReleaseOrder.currency,
            ReleaseItem.payee_name,
        )
        .join(ReleaseOrder, ReleaseOrder.id == ReleaseItem.order_id)
        .where(ReleaseItem.order_id.in_(by_order))
    )
    found: dict[int, AtStake] = {}
    for entry in db.session.execute(union_all(credits, payments).order_by("what", "id")):
        for approval_id in [by_line[entry.of]] if entry.what == "line" else by_order[entry.of]:
            stake = found.setdefault(approval_id, AtStake())
            stake.count += 1
            stake.sums[entry.currency] = stake.sums.get(entry.currency, 0) + entry.amount_minor
            if entry.party not in stake.parties:
                stake.parties.append(entry.party)
    return found


def waiting() -> dict[str, ScalarSelect[int]]:
    """Counts for a manager's desk: credits that nobody has dealt with, payouts that no order holds yet."""
    return {
        "lines": select(func.count()).where(StatementLine.state == "open").scalar_subquery(),
        "payouts": select(func.count()).where(Payout.state == "due").scalar_subquery(),
    }


_NO_NAME: Any = cast(None, Text)
_NO_AMOUNT: Any = (cast(None, BigInteger), cast(None, Text))
#: What people call things of money: a number of ours, a file's name, or else the amount.
_CALLED: dict[str, Any] = {
    "deposit": select(Deposit.id, Receivable.reference, *_NO_AMOUNT).join(
        Receivable, Receivable.id == Deposit.receivable_id
    ),
    "receivable": select(Receivable.id, Receivable.reference, *_NO_AMOUNT),
    "release_order": select(ReleaseOrder.id, ReleaseOrder.number, *_NO_AMOUNT),
    "statement_import": select(StatementImport.id, StatementImport.filename, *_NO_AMOUNT),
    "statement_line": select(StatementLine.id, _NO_NAME, StatementLine.amount_minor, StatementLine.currency),
    "payout": select(Payout.id, _NO_NAME, Payout.amount_minor, Payout.currency),
}


def labels(wanted: Mapping[str, Iterable[int]]) -> dict[tuple[str, int], str]:
    """What people call these things of money, by (kind, id). Kinds of other rooms are left out. One statement."""
    asked = [
        query.add_columns(literal(kind)).where(query.selected_columns[0].in_(list(wanted[kind])))
        for kind, query in _CALLED.items()
        if wanted.get(kind)
    ]
    if not asked:
        return {}
    return {
        (kind, key): name if name is not None else format_minor(minor, currency)
        for key, name, minor, currency, kind in db.session.execute(union_all(*asked))
    }


def deposit_of(lot_id: int, org_id: int) -> Deposit | None:
    """The organisation's deposit for this round, if it has one."""
    return db.session.scalar(select(Deposit).where(Deposit.lot_id == lot_id, Deposit.org_id == org_id))


def balance_of(lot_id: int, org_id: int) -> Receivable | None:
    """What the buyer owes for the lot, if it was opened."""
    return db.session.scalar(
        select(Receivable).where(
            Receivable.purpose == "balance", Receivable.lot_id == lot_id, Receivable.org_id == org_id
        )
    )


def deposit_held(org_id: int) -> Exists:
    """Condition: the organisation ever had a deposit held or waived. To be asked with others in one statement."""
    return exists().where(Deposit.org_id == org_id, Deposit.state.not_in(("due", "cancelled")))


def balance_paid(org_id: int) -> Exists:
    """Condition: the organisation ever paid a balance."""
    return exists().where(Receivable.org_id == org_id, Receivable.purpose == "balance", Receivable.state == "paid")


def receivable_of(deposit: Deposit) -> Receivable | None:
    """Reference and amount to pay; none for a waived deposit."""
    return None if deposit.receivable_id is None else db.session.get(Receivable, deposit.receivable_id)


def money_of_lot(lot_id: int) -> LotMoney:
    """Price, deposits, balance and proceeds of one lot."""
    return money_of_lots([lot_id])[lot_id]


def money_of_lots(lot_ids: Collection[int]) -> dict[int, LotMoney]:
    """The same for many lots: four statements however many they are."""
    deposits = db.session.scalars(select(Deposit).where(Deposit.lot_id.in_(lot_ids))).all()
    balances = db.session.scalars(
        select(Receivable).where(Receivable.purpose == "balance", Receivable.lot_id.in_(lot_ids))
    ).all()
    payouts = db.session.scalars(
        select(Payout).where(Payout.lot_id.in_(lot_ids), Payout.purpose == "proceeds", Payout.state != "cancelled")
    ).all()
    held = ledger.balances([ledger.deposits_of(lot_id) for lot_id in lot_ids])
    return {
        lot_id: _of_lot(
            lot_id,
            -held[ledger.deposits_of(lot_id)].posted_minor,
            [row for row in deposits if row.lot_id == lot_id],
            [row for row in balances if row.lot_id == lot_id],
            [row for row in payouts if row.lot_id == lot_id],
        )
        for lot_id in lot_ids
    }


def _of_lot(
    lot_id: int, held_minor: int, deposits: list[Deposit], balances: list[Receivable], payouts: list[Payout]
) -> LotMoney:
    applied = sum(d.applied_minor for d in deposits)
    kept = [b for b in balances if b.state != "cancelled"]
    received = sum(b.received_minor for b in kept)
    return LotMoney(
        lot_id=lot_id,
        deposits_held_minor=held_minor,
        deposit_applied_minor=applied,
        forfeited_minor=sum(d.forfeited_minor for d in deposits),
        balance_due_minor=sum(b.amount_minor for b in kept),
        balance_received_minor=received,
        price_received_minor=applied + received,
        proceeds_minor=sum(p.amount_minor for p in payouts),
        proceeds_paid_minor=sum(p.amount_minor for p in payouts if p.state == "paid"),
        deposits_to_release=sum(d.state in ("release_due", "ordered") for d in deposits),
    )
