"""Reads of the money room's own pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from marketplace.core import approvals
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.models import Approval
from marketplace.money import ledger, lots
from marketplace.money.models import (
    Deposit,
    LedgerTransfer,
    Payout,
    Receivable,
    ReleaseItem,
    ReleaseOrder,
    StatementImport,
    StatementLine,
)
from marketplace.money.payees import payees_of
from marketplace.parties.models import Organisation, User

PAGE = 100


def names_of(org_ids: Sequence[int | None]) -> dict[int | None, str]:
    rows = db.session.execute(
        select(Organisation.id, Organisation.name).where(Organisation.id.in_({i for i in org_ids if i is not None}))
    )
    return {row.id: row.name for row in rows}


def people_of(user_ids: Sequence[int | None]) -> dict[int | None, str]:
    rows = db.session.execute(
        select(User.id, User.display_name, User.email).where(User.id.in_({i for i in user_ids if i is not None}))
    )
    return {row.id: row.display_name or row.email for row in rows}


@dataclass(frozen=True)
class LineRow:
    """A statement line with the receivable it seems (or is said) to pay."""

    line: StatementLine
    receivable: Receivable | None
    org_name: str
    lot: lots.LotFacts | None


def line_rows(query: Any) -> list[LineRow]:
    found = db.session.scalars(query).all()
    wanted = {line.receivable_id for line in found if line.receivable_id is not None}
    receivables = {r.id: r for r in db.session.scalars(select(Receivable).where(Receivable.id.in_(wanted)))}
    names = names_of([r.org_id for r in receivables.values()])
    facts = lots.facts_of(r.lot_id for r in receivables.values())
    rows = []
    for line in found:
        receivable = receivables.get(line.receivable_id or 0)
        rows.append(
            LineRow(
                line,
                receivable,
                names.get(receivable.org_id, "") if receivable else "",
                facts.get(receivable.lot_id) if receivable else None,
            )
        )
    return rows


def open_lines() -> list[LineRow]:
    return line_rows(
        select(StatementLine).where(StatementLine.state == "open").order_by(StatementLine.id).limit(2 * PAGE)
    )


def lines_of_import(import_id: int) -> list[LineRow]:
    return line_rows(select(StatementLine).where(StatementLine.import_id == import_id).order_by(StatementLine.row_no))


def lines_of_approval(approval: Approval) -> list[LineRow]:
    ids = [item["line_id"] for item in approval.data.get("lines", [])]
    return line_rows(select(StatementLine).where(StatementLine.id.in_(ids)).order_by(StatementLine.id))


@dataclass(frozen=True)
class PayoutRow:
    payout: Payout
    payee: Any
    lot: lots.LotFacts | None
    overdue: bool


def payout_rows(*conditions: Any, limit: int = 5 * PAGE) -> list[PayoutRow]:
    """Payouts, soonest due first."""
    found = db.session.scalars(select(Payout).where(*conditions).order_by(Payout.due_at, Payout.id).limit(limit)).all()
    payees, facts, at = payees_of(found), lots.facts_of(p.lot_id for p in found), now()
    return [
        PayoutRow(p, payees[p.id], facts.get(p.lot_id or 0), p.due_at <= at and p.state in ("due", "ordered"))
        for p in found
    ]


def orders(*states: str, limit: int = PAGE) -> list[ReleaseOrder]:
    query = select(ReleaseOrder).order_by(ReleaseOrder.id.desc()).limit(limit)
    return list(db.session.scalars(query.where(ReleaseOrder.state.in_(states)) if states else query))


def waiting(org_id: int) -> list[Approval]:
    """What of money waits for a second manager."""
    return [row for row in approvals.waiting_for(org_id) if row.kind.startswith("money.")]


def _by_state(state: Any) -> dict[str, int]:
    return {row[0]: row[1] for row in db.session.execute(select(state, func.count()).group_by(state))}


def counts() -> dict[str, int]:
    """How much waits at each step."""
    lines = _by_state(StatementLine.state)
    due, overdue = db.session.execute(
        select(func.count(), func.count().filter(Payout.due_at <= func.clock_timestamp())).where(Payout.state == "due")
    ).one()
    states = _by_state(ReleaseOrder.state)
    return {
        "lines": lines.get("open", 0),
        "due": due,
        "overdue": overdue,
        "export": states.get("approved", 0),
        "report": states.get("exported", 0),
    }


def imports(limit: int = PAGE) -> list[StatementImport]:
    return list(db.session.scalars(select(StatementImport).order_by(StatementImport.id.desc()).limit(limit)))


@dataclass(frozen=True)
class OrderView:
    order: ReleaseOrder
    items: list[tuple[ReleaseItem, Payout]]
    waiting: list[Approval]
    people: dict[int | None, str]
    facts: dict[int, lots.LotFacts]


def order_view(order_id: int) -> OrderView | None:
    order = db.session.get(ReleaseOrder, order_id)
    if order is None:
        return None
    items = db.session.execute(
        select(ReleaseItem, Payout)
        .join(Payout, Payout.id == ReleaseItem.payout_id)
        .where(ReleaseItem.order_id == order_id)
        .order_by(ReleaseItem.id)
    )
    pairs = [(item, payout) for item, payout in items]
    open_ = [approvals.open_approval(kind, "release_order", order_id) for kind in APPROVALS]
    return OrderView(
        order,
        pairs,
        [row for row in open_ if row is not None],
        people_of([order.created_by, order.approved_by]),
        lots.facts_of(payout.lot_id for _item, payout in pairs),
    )


APPROVALS = ("money.approve_order", "money.confirm_order")


def lots_with_money(limit: int = PAGE) -> list[dict[str, Any]]:
    """Lots with deposits, newest first: counts by state and the sum held."""
    rows = db.session.execute(
        select(
            Deposit.lot_id,
            func.count(),
            func.count().filter(Deposit.state == "due"),
            func.count().filter(Deposit.state.in_(("held", "waived"))),
            func.count().filter(Deposit.state.in_(("release_due", "ordered"))),
            func.sum(Deposit.held_minor - Deposit.applied_minor - Deposit.released_minor - Deposit.forfeited_minor),
        )
        .group_by(Deposit.lot_id)
        .order_by(Deposit.lot_id.desc())
        .limit(limit)
    ).all()
    facts = lots.facts_of(row[0] for row in rows)
    keys = ("lot_id", "all", "due", "held", "releasing", "held_minor")
    return [dict(zip(keys, row, strict=True)) | {"lot": facts[row[0]]} for row in rows]


def deposits_of_lot(lot_id: int) -> list[tuple[Deposit, Receivable | None, str]]:
    rows = db.session.execute(
        select(Deposit, Receivable, Organisation.name)
        .join(Organisation, Organisation.id == Deposit.org_id)
        .outerjoin(Receivable, Receivable.id == Deposit.receivable_id)
        .where(Deposit.lot_id == lot_id)
        .order_by(Deposit.id)
    )
    return [(deposit, receivable, name) for deposit, receivable, name in rows]


def balances_of_lot(lot_id: int) -> list[tuple[Receivable, str]]:
    rows = db.session.execute(
        select(Receivable, Organisation.name)
        .join(Organisation, Organisation.id == Receivable.org_id)
        .where(Receivable.lot_id == lot_id, Receivable.purpose == "balance")
        .order_by(Receivable.id)
    )
    return [(receivable, name) for receivable, name in rows]


@dataclass(frozen=True)
class MyMoney:
    """One organisation's deposits, balances to pay and payments it gets."""

    deposits: Sequence[tuple[Deposit, Receivable | None]]
    balances: list[Receivable]
    payouts: list[PayoutRow]
    facts: dict[int, lots.LotFacts]
    now: datetime


def my_money(org_id: int) -> MyMoney:
    deposits = [
        (deposit, receivable)
        for deposit, receivable in db.session.execute(
            select(Deposit, Receivable)
            .outerjoin(Receivable, Receivable.id == Deposit.receivable_id)
            .where(Deposit.org_id == org_id)
            .order_by(Deposit.id.desc())
            .limit(2 * PAGE)
        )
    ]
    balances = list(
        db.session.scalars(
            select(Receivable)
            .where(Receivable.org_id == org_id, Receivable.purpose == "balance")
            .order_by(Receivable.id.desc())
            .limit(PAGE)
        )
    )
    payouts = payout_rows(Payout.org_id == org_id, limit=2 * PAGE)
    facts = lots.facts_of(
        [d.lot_id for d, _r in deposits] + [b.lot_id for b in balances] + [p.payout.lot_id for p in payouts]
    )
    return MyMoney(deposits, balances, payouts, facts, now())


def transfers(limit: int = PAGE) -> list[LedgerTransfer]:
    return list(db.session.scalars(select(LedgerTransfer).order_by(LedgerTransfer.at.desc()).limit(limit)))


def trial() -> tuple[list[ledger.Balance], int, int]:
    """Trial balance with the sums of both columns (zero when all is right)."""
    rows = ledger.trial_balance()
    return rows, sum(row.posted_minor for row in rows), sum(row.pending_minor for row in rows)
