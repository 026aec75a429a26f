"""Locks of the money room, always in this order: statement line → release order → deposit → receivable → payout →
ledger account.

Each takes rows in the order of their ids. ``FOR NO KEY UPDATE``: rows that refer to a locked one can still be made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.sql.elements import ColumnElement

from marketplace.core.db import Base, db
from marketplace.money.models import Deposit, Payout, Receivable, StatementLine

Row = TypeVar("Row", bound=Base)


def _locked(model: type[Row], *conditions: ColumnElement[bool]) -> Sequence[Row]:
    query = (
        select(model)
        .where(*conditions)
        .order_by(model.__table__.c.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return db.session.scalars(query).all()


def lock_lines(ids: Iterable[int]) -> dict[int, StatementLine]:
    return {row.id: row for row in _locked(StatementLine, StatementLine.id.in_(list(ids)))}


def lock_deposit(lot_id: int, org_id: int) -> Deposit | None:
    rows = _locked(Deposit, Deposit.lot_id == lot_id, Deposit.org_id == org_id)
    return rows[0] if rows else None


def lock_deposits_of_lot(lot_id: int) -> Sequence[Deposit]:
    return _locked(Deposit, Deposit.lot_id == lot_id)


def lock_deposits(ids: Iterable[int]) -> dict[int, Deposit]:
    return {row.id: row for row in _locked(Deposit, Deposit.id.in_(list(ids)))}


def lock_deposits_by_receivable(receivable_ids: Iterable[int]) -> dict[int, Deposit]:
    """Deposits by the id of their receivable. For a balance every deposit of its lot: once it is paid they go back,
    and by then its receivable is locked, which comes after them."""
    ids = list(receivable_ids)
    lots = select(Receivable.lot_id).where(Receivable.id.in_(ids), Receivable.purpose == "balance")
    rows = _locked(Deposit, Deposit.receivable_id.in_(ids) | Deposit.lot_id.in_(lots))
    return {row.receivable_id: row for row in rows if row.receivable_id is not None}


def lock_receivables(ids: Iterable[int]) -> dict[int, Receivable]:
    return {row.id: row for row in _locked(Receivable, Receivable.id.in_(list(ids)))}


def lock_payouts(ids: Iterable[int]) -> dict[int, Payout]:
    return {row.id: row for row in _locked(Payout, Payout.id.in_(list(ids)))}
