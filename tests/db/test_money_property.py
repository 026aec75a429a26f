"""Whatever happens to deposits in whatever order: nothing is consumed twice and the ledger sums to zero."""

from __future__ import annotations

import contextlib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace import Zhiliu
from marketplace.core.actor import SYSTEM
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import DomainError
from marketplace.money import ledger, queries, service
from marketplace.money.models import Deposit, Payout, Receivable, StatementLine
from tests.factories.auctions import make_lot
from tests.factories.money import Managers, due_payouts, make_managers, pay, pay_out

DEPOSIT = 1000
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(0, 1), st.integers(1, 1500)),
        st.tuples(st.just("pay_balance"), st.integers(0, 1), st.integers(1, 6000)),
        st.tuples(st.just("release"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("apply"), st.integers(0, 1), st.integers(1, 1200)),
        st.tuples(st.just("forfeit"), st.integers(0, 1), st.integers(0, 1200)),
        st.tuples(st.just("open_balance"), st.integers(0, 1), st.integers(0, 5000)),
        st.tuples(st.just("cancel_balance"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("pay_out"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("proceeds"), st.integers(0, 1), st.just(0)),
    ),
    min_size=3,
    max_size=10,
)


def act(managers: Managers, lot_id: int, seller: int, org: int, name: str, amount: int, chance: int) -> None:
    deposit, balance = queries.deposit_of(lot_id, org), queries.balance_of(lot_id, org)
    if name == "pay" and deposit is not None:
        receivable = queries.receivable_of(deposit)
        assert receivable is not None
        pay(managers, receivable, amount)
    elif name == "pay_balance" and balance is not None:
        pay(managers, balance, amount)
    elif name == "release":
        service.release_lot_deposits(lot_id, [org], now(), SYSTEM)
    elif name == "apply":
        service.apply_deposit(lot_id, org, amount, SYSTEM)
    elif name == "forfeit":
        service.forfeit_deposit(lot_id, org, [("costs", amount // 3), ("debt", amount - amount // 3)], SYSTEM)
    elif name == "open_balance":
        service.open_balance(lot_id, org, amount, "CNY", now())
    elif name == "cancel_balance":
        service.cancel_balance(lot_id, org, now(), SYSTEM)
    elif name == "pay_out" and (due := due_payouts()):
        pay_out(managers, due, failures={due[0].id: "退回"} if chance else None)
    elif name == "proceeds":
        service.owe_proceeds(lot_id, seller, SYSTEM)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(acts=ACTS)
def test_any_order_of_acts_keeps_the_money_laws(app: Zhiliu, acts: list[tuple[str, int, int]]) -> None:
    managers = make_managers()
    lot = make_lot(2, real_money=True, deposit_minor=DEPOSIT, start_minor=5000, increment_minor=100)
    lot_id, seller, orgs = lot.id, lot.seller.id, [b.org.id for b in lot.bidders]
    for name, who, amount in acts:
        with contextlib.suppress(DomainError):
            act(managers, lot_id, seller, orgs[who], name, amount, who)
            db.session.commit()
        db.session.rollback()
        check(lot_id)


def check(lot_id: int) -> None:
    rows = ledger.trial_balance()
    assert sum(r.posted_minor for r in rows) == 0 == sum(r.pending_minor for r in rows)
    deposits = db.session.query(Deposit).filter_by(lot_id=lot_id).all()
    assert all(d.available_minor >= 0 for d in deposits)
    assert -ledger.balance(ledger.deposits_of(lot_id)).posted_minor == sum(d.available_minor for d in deposits)
    assert -ledger.balance(ledger.price_of(lot_id)).posted_minor >= 0
    taken = sum(line.amount_minor - line.allocated_minor for line in db.session.query(StatementLine))
    sent = sum(p.amount_minor for p in db.session.query(Payout).filter_by(purpose="line_return", state="paid"))
    assert -ledger.balance(ledger.SUSPENSE).posted_minor == taken - sent
    assert ledger.balance(ledger.BANK).posted_minor >= 0
    assert all(r.received_minor <= r.amount_minor for r in db.session.query(Receivable))
