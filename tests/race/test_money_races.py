"""Two acts on the same money at once: one order of events, never twice the money."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from marketplace import Zhiliu
from marketplace.core import approvals
from marketplace.core.actor import SYSTEM
from marketplace.core.clock import now
from marketplace.core.db import db, unit_of_work
from marketplace.core.errors import DomainError
from marketplace.core.models import Approval, Event
from marketplace.money import confirmations, ledger, orders, queries, service, statements
from marketplace.money.models import Deposit, LedgerTransfer, Payout, Receivable, ReleaseItem, StatementLine
from tests.factories.auctions import MadeLot, make_lot
from tests.factories.money import (
    Managers,
    due_payouts,
    import_rows,
    make_managers,
    order_of,
    pay_deposit,
    row,
    statement,
)
from tests.factories.parties import make_actor

AMOUNT = 10_000_00


def at_once(app: Zhiliu, *acts: Callable[[], object]) -> list[str]:
    """Run the acts in threads that start together; returns ``done`` or the refusal's code of each."""
    db.session.rollback()
    barrier, answers = threading.Barrier(len(acts)), [""] * len(acts)

    def run(number: int, act: Callable[[], object]) -> None:
        with app.app_context():
            barrier.wait()
            try:
                with unit_of_work():
                    act()
                answers[number] = "done"
            except DomainError as refused:
                answers[number] = refused.code
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    db.session.expire_all()
    return answers


def proposed(lot: MadeLot, managers: Managers) -> Approval:
    deposit = queries.deposit_of(lot.id, lot.bidders[0].org.id)
    assert deposit is not None and deposit.receivable_id is not None
    receivable = db.session.get_one(Receivable, deposit.receivable_id)
    line = import_rows(managers, row(AMOUNT, receivable.reference, lot.bidders[0].org))[0]
    approval = confirmations.propose([confirmations.Choice(line.id, receivable.id)], managers.maker)
    db.session.commit()
    return approval


def balanced() -> bool:
    rows = ledger.trial_balance()
    return sum(r.posted_minor for r in rows) == 0 == sum(r.pending_minor for r in rows)


@pytest.mark.parametrize("turn", range(4))
def test_confirm_against_release_holds_and_releases_or_sends_back(app: Zhiliu, turn: int) -> None:
    lot, managers = make_lot(1, real_money=True, deposit_minor=AMOUNT), make_managers()
    approval_id, lot_id = proposed(lot, managers).id, lot.id
    due_at = now() + timedelta(hours=24)
    answers = at_once(
        app,
        lambda: approvals.decide(approval_id, managers.approver, approve=True),
        lambda: service.release_lot_deposits(lot_id, [], due_at, SYSTEM),
    )
    assert answers == ["done", "done"]
    deposit = db.session.query(Deposit).one()
    payout = db.session.query(Payout).one()
    assert (deposit.state, payout.purpose) in {("release_due", "deposit_release"), ("cancelled", "line_return")}
    assert payout.amount_minor == AMOUNT
    assert balanced()


def test_two_managers_confirm_at_once_and_it_counts_once(app: Zhiliu) -> None:
    lot, managers = make_lot(1, real_money=True, deposit_minor=AMOUNT), make_managers()
    third = make_actor("platform", org=db.session.get_one(type(lot.seller), managers.maker.org_id))
    approval_id = proposed(lot, managers).id
    answers = at_once(
        app,
        lambda: approvals.decide(approval_id, managers.approver, approve=True),
        lambda: approvals.decide(approval_id, third, approve=True),
    )
    assert sorted(answers) == ["approval_decided", "done"]
    assert db.session.query(Deposit).one().held_minor == AMOUNT
    assert db.session.query(Event).filter_by(kind="deposit.held").count() == 1
    assert db.session.query(LedgerTransfer).filter_by(purpose="line.confirm").count() == 1


def test_two_orders_at_once_take_a_payout_once(app: Zhiliu) -> None:
    lot, managers = make_lot(1, real_money=True, deposit_minor=AMOUNT), make_managers()
    pay_deposit(managers, lot.id, lot.bidders[0].org.id)
    service.release_lot_deposits(lot.id, [], now(), SYSTEM)
    db.session.commit()
    payout_id = due_payouts()[0].id
    answers = at_once(
        app,
        lambda: orders.make_order([payout_id], managers.maker),
        lambda: orders.make_order([payout_id], managers.approver),
    )
    assert sorted(answers) == ["done", "payout_not_due"]
    assert db.session.query(ReleaseItem).count() == 1


def test_the_same_statement_imported_twice_at_once_comes_in_once(app: Zhiliu) -> None:
    managers = make_managers()
    content = statement(*(row(100 + n, f"第{n}笔") for n in range(30)))
    answers = at_once(
        app,
        lambda: statements.import_statement(content, "a.csv", managers.maker),
        lambda: statements.import_statement(content, "b.csv", managers.approver),
    )
    assert answers == ["done", "done"]
    assert db.session.query(StatementLine).count() == 30
    assert ledger.balance(ledger.BANK).posted_minor == sum(100 + n for n in range(30))


def test_overlapping_statements_at_once_keep_each_movement_once(app: Zhiliu) -> None:
    managers = make_managers()
    rows = [row(100, "x", ref=f"R{n:03d}") for n in range(40)]
    answers = at_once(
        app,
        lambda: statements.import_statement(statement(*rows[:30]), "a.csv", managers.maker),
        lambda: statements.import_statement(statement(*reversed(rows[10:])), "b.csv", managers.approver),
    )
    assert answers == ["done", "done"]
    assert db.session.query(StatementLine).count() == 40
    assert ledger.balance(ledger.BANK).posted_minor == 4000


def test_approving_and_cancelling_an_order_at_once_leaves_no_pending_money(app: Zhiliu) -> None:
    lot, managers = make_lot(1, real_money=True, deposit_minor=AMOUNT), make_managers()
    pay_deposit(managers, lot.id, lot.bidders[0].org.id)
    service.release_lot_deposits(lot.id, [], now(), SYSTEM)
    db.session.commit()
    order = order_of(managers, due_payouts(), approve=False)
    order_id = order.id
    waiting = approvals.open_approval(orders.APPROVE, "release_order", order_id)
    assert waiting is not None
    approval_id = waiting.id
    at_once(
        app,
        lambda: approvals.decide(approval_id, managers.approver, approve=True),
        lambda: orders.cancel_order(order_id, "重做", managers.maker),
    )
    assert orders.locked_order(order_id).state == "cancelled"
    assert ledger.balance(ledger.BANK).pending_minor == 0
    assert [p.state for p in db.session.query(Payout)] == ["due"]


def test_one_transfer_id_from_two_sides_is_one_transfer(app: Zhiliu) -> None:
    id_ = ledger.transfer_id("test", 1)

    def send() -> None:
        ledger.transfer(id_, "test", "test", 1, ledger.between("a", "b", 5), SYSTEM)

    assert at_once(app, send, send, send) == ["done"] * 3
    assert ledger.balance("a").posted_minor == 5
