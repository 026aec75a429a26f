"""Managers, bank statements and confirmed payments, through the real services."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import date

from marketplace.core import approvals
from marketplace.core.actor import Actor
from marketplace.core.clock import today
from marketplace.core.db import db
from marketplace.core.models import Approval
from marketplace.core.money import format_minor
from marketplace.money import confirmations, orders, queries, statements
from marketplace.money.models import Payout, Receivable, ReleaseOrder, StatementLine
from marketplace.parties.models import Organisation
from tests.factories.parties import make_actor, make_org

HEADER = "交易日期,交易流水号,贷方金额,借方金额,对方户名,对方账号,对方开户行,摘要"
_refs = itertools.count(1)


@dataclass
class Managers:
    """Two managers of one platform: ``maker`` asks, ``approver`` decides."""

    maker: Actor
    approver: Actor


def make_managers() -> Managers:
    platform = make_org("platform")
    return Managers(make_actor("platform", org=platform), make_actor("platform", org=platform))


def row(
    amount_minor: int, memo: str, payer: Organisation | None = None, *, ref: str | None = None, day: date | None = None
) -> str:
    """One credit in the columns of ``HEADER``."""
    name, account, bank = (payer.account_name, payer.account_no, payer.account_bank) if payer else ("路人", "6200", "")
    amount = format_minor(amount_minor).lstrip("¥").replace(",", "")
    return f"{day or today()},{ref or f'REF{next(_refs):08d}'},{amount},,{name},{account},{bank},{memo}"


def statement(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows]).encode("gb18030")


def import_rows(managers: Managers, *rows: str) -> list[StatementLine]:
    done = statements.import_statement(statement(*rows), "流水.csv", managers.maker)
    db.session.commit()
    return list(db.session.query(StatementLine).filter_by(import_id=done.id).order_by(StatementLine.row_no))


def decide(approval: Approval, by: Actor, *, approve: bool = True, reason: str = "") -> None:
    approvals.decide(approval.id, by, approve=approve, reason=reason)
    db.session.commit()


def confirm(managers: Managers, line: StatementLine, receivable: Receivable, reason: str = "核对无误") -> None:
    choice = confirmations.Choice(line.id, receivable.id, reason)
    decide(confirmations.propose([choice], managers.maker), managers.approver)


def pay(managers: Managers, receivable: Receivable, amount_minor: int | None = None) -> StatementLine:
    """A whole payment: statement, import, proposal, confirmation."""
    payer = db.session.get_one(Organisation, receivable.org_id)
    line = import_rows(managers, row(amount_minor or receivable.amount_minor, receivable.reference, payer))[0]
    confirm(managers, line, receivable)
    return db.session.get_one(StatementLine, line.id, populate_existing=True)


def pay_deposit(managers: Managers, lot_id: int, org_id: int) -> StatementLine:
    deposit = queries.deposit_of(lot_id, org_id)
    assert deposit is not None
    receivable = queries.receivable_of(deposit)
    assert receivable is not None
    return pay(managers, receivable)


def due_payouts() -> list[Payout]:
    return list(db.session.query(Payout).filter_by(state="due").order_by(Payout.id))


def order_of(managers: Managers, payouts: list[Payout], *, approve: bool = True) -> ReleaseOrder:
    order = orders.make_order([payout.id for payout in payouts], managers.maker)
    db.session.commit()
    if approve:
        waiting = approvals.open_approval(orders.APPROVE, "release_order", order.id)
        assert waiting is not None
        decide(waiting, managers.approver)
    return order


def pay_out(managers: Managers, payouts: list[Payout], failures: dict[int, str] | None = None) -> ReleaseOrder:
    """An order through to the bank's confirmed answer; ``failures`` by payout id."""
    order = order_of(managers, payouts)
    orders.export_order(order.id, managers.maker)
    by_item = {
        item.id: (failures or {})[item.payout_id]
        for item in orders.items_of(order.id)
        if item.payout_id in (failures or {})
    }
    decide(orders.report_order(order.id, by_item, managers.maker), managers.approver)
    return order
