"""The way of a deposit: opened, paid, held, and then consumed once; the ledger follows to the fen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from marketplace import Zhiliu
from marketplace.core.actor import SYSTEM
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Refused
from marketplace.core.models import Deadline, Event
from marketplace.money import ledger, queries, service
from marketplace.money.models import Deposit, Receivable
from marketplace.money.references import is_reference
from tests.factories.auctions import MadeLot, make_lot
from tests.factories.money import confirm, due_payouts, import_rows, make_managers, order_of, pay, pay_out, row
from tests.factories.parties import make_org

AMOUNT = 10_000_00


def paid_lot(bidders: int = 1) -> MadeLot:
    return make_lot(bidders, real_money=True, deposit_minor=AMOUNT)


def deposit(lot: MadeLot, number: int = 0) -> Deposit:
    found = queries.deposit_of(lot.id, lot.bidders[number].org.id)
    assert found is not None
    db.session.refresh(found)
    return found


def expected(lot: MadeLot, number: int = 0) -> Receivable:
    found = queries.receivable_of(deposit(lot, number))
    assert found is not None
    db.session.refresh(found)
    return found


def assert_ledger(lot: MadeLot | None = None) -> None:
    rows = ledger.trial_balance()
    assert sum(r.posted_minor for r in rows) == 0
    assert sum(r.pending_minor for r in rows) == 0
    if lot is not None:
        held = sum(d.available_minor for d in db.session.query(Deposit).filter_by(lot_id=lot.id))
        assert -ledger.balance(ledger.deposits_of(lot.id)).posted_minor == held


def held_events(lot: MadeLot) -> int:
    rows = db.session.query(Event).filter_by(kind="deposit.held").all()
    return sum(event.data["lot_id"] == lot.id for event in rows)


def test_a_deposit_is_opened_with_a_checked_reference_and_waits_for_its_money(app: Zhiliu) -> None:
    lot = paid_lot()
    assert deposit(lot).state == "due" and expected(lot).state == "open"
    assert is_reference(expected(lot).reference)


def test_a_payment_that_two_managers_confirmed_is_held_and_qualifies_the_bidder(app: Zhiliu) -> None:
    lot, managers = paid_lot(), make_managers()
    pay(managers, expected(lot))
    assert deposit(lot).state == "held" and deposit(lot).held_minor == AMOUNT and held_events(lot) == 1
    db.session.refresh(lot.bidders[0].registration)
    assert lot.bidders[0].registration.state == "qualified"
    assert ledger.balance(ledger.BANK).posted_minor == AMOUNT
    assert ledger.balance(ledger.SUSPENSE).posted_minor == 0
    assert_ledger(lot)


def test_creditor_whose_claim_covers_the_deposit_holds_without_paying(app: Zhiliu) -> None:
    """domain vector 16: nothing is asked, the event fires all the same."""
    lot = make_lot(0)
    from tests.factories.auctions import make_bidder

    bidder = make_bidder(lot.lot, qualified=False)
    lot.bidders.append(bidder)
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.execute(text("DELETE FROM deposit"))
    db.session.commit()
    made = service.open_deposit(lot.id, bidder.org.id, bidder.registration.id, 0, "CNY", now())
    db.session.commit()
    assert made.state == "waived" and made.receivable_id is None and held_events(lot) == 1
    again = service.open_deposit(lot.id, bidder.org.id, bidder.registration.id, 0, "CNY", now())
    assert again.id == made.id and held_events(lot) == 1
    assert service.apply_deposit(lot.id, bidder.org.id, 100, SYSTEM) == 0


def test_opening_twice_gives_the_same_deposit_and_another_amount_is_refused(app: Zhiliu) -> None:
    lot = paid_lot()
    one = deposit(lot)
    again = service.open_deposit(lot.id, one.org_id, one.registration_id, AMOUNT, "CNY", now())
    assert again.id == one.id
    with pytest.raises(Refused) as refused:
        service.open_deposit(lot.id, one.org_id, one.registration_id, AMOUNT + 1, "CNY", now())
    assert refused.value.code == "deposit_differs"


def test_a_part_payment_waits_for_the_rest(app: Zhiliu) -> None:
    lot, managers = paid_lot(), make_managers()
    pay(managers, expected(lot), AMOUNT - 1)
    assert deposit(lot).state == "due" and deposit(lot).held_minor == AMOUNT - 1 and held_events(lot) == 0
    pay(managers, expected(lot), 1)
    assert deposit(lot).state == "held" and held_events(lot) == 1
    assert_ledger(lot)


def test_too_much_money_holds_the_deposit_and_the_excess_goes_back_to_the_payer(app: Zhiliu) -> None:
    lot, managers = paid_lot(), make_managers()
    line = pay(managers, expected(lot), AMOUNT + 7)
    assert deposit(lot).state == "held" and deposit(lot).held_minor == AMOUNT
    assert (line.allocated_minor, line.return_minor) == (AMOUNT, 7)
    assert [(p.purpose, p.amount_minor) for p in due_payouts()] == [("line_return", 7)]
    assert -ledger.balance(ledger.SUSPENSE).posted_minor == 7
    pay_out(managers, due_payouts())
    assert ledger.balance(ledger.SUSPENSE).posted_minor == 0
    assert_ledger(lot)


def test_a_second_payment_for_one_reference_goes_back_whole(app: Zhiliu) -> None:
    lot, managers = paid_lot(), make_managers()
    receivable = expected(lot)
    first, second = import_rows(
        managers,
        row(AMOUNT, receivable.reference, lot.bidders[0].org),
        row(AMOUNT, receivable.reference, lot.bidders[0].org),
    )
    confirm(managers, first, receivable)
    confirm(managers, second, receivable)
    assert held_events(lot) == 1 and deposit(lot).held_minor == AMOUNT
    assert [(p.line_id, p.amount_minor) for p in due_payouts()] == [(second.id, AMOUNT)]
    assert_ledger(lot)


def test_a_deposit_paid_after_the_lot_ended_goes_back_at_once(app: Zhiliu) -> None:
    lot, managers = paid_lot(), make_managers()
    service.release_lot_deposits(lot.id, [], now() + timedelta(hours=24), SYSTEM)
    db.session.commit()
    assert deposit(lot).state == "cancelled"
    pay(managers, expected(lot))
    assert deposit(lot).state == "cancelled" and held_events(lot) == 0
    payout = due_payouts()[0]
    assert payout.purpose == "line_return" and payout.amount_minor == AMOUNT and payout.due_at <= now()


def test_losers_get_back_and_the_winner_is_kept(app: Zhiliu) -> None:
    lot, managers = paid_lot(3), make_managers()
    for number in (0, 1):
        pay(managers, expected(lot, number))
    due_at = now() + timedelta(hours=24)
    for _ in range(2):  # doing it again changes nothing
        service.release_lot_deposits(lot.id, [lot.bidders[0].org.id], due_at, SYSTEM)
        db.session.commit()
    assert [deposit(lot, n).state for n in range(3)] == ["held", "release_due", "cancelled"]
    assert len(due_payouts()) == 1
    row_ = db.session.query(Deadline).filter_by(kind="deposit.release").one()
    assert row_.due_at == due_at and row_.org_id == managers.maker.org_id
    pay_out(managers, due_payouts())
    assert deposit(lot, 1).state == "released" and deposit(lot, 1).available_minor == 0
    db.session.refresh(row_)
    assert row_.state == "cancelled"
    assert ledger.balance(ledger.BANK).posted_minor == AMOUNT
    assert_ledger(lot)


def test_the_winners_deposit_counts_toward_the_price_once(app: Zhiliu) -> None:
    lot, managers = paid_lot(), make_managers()
    pay(managers, expected(lot))
    org_id = lot.bidders[0].org.id
    for _ in range(2):
        assert service.apply_deposit(lot.id, org_id, 1_000_000_00, SYSTEM) == AMOUNT
        db.session.commit()
    assert deposit(lot).state == "applied" and deposit(lot).available_minor == 0
    assert -ledger.balance(ledger.price_of(lot.id)).posted_minor == AMOUNT
    with pytest.raises(IntegrityError):
        db.session.execute(text("UPDATE deposit SET released_minor = 1"))
    db.session.rollback()
    assert_ledger(lot)


def test_forfeited_deposit_is_split_in_the_profiles_order_and_only_once(app: Zhiliu) -> None:
    lot, managers = paid_lot(), make_managers()
    pay(managers, expected(lot))
    org_id = lot.bidders[0].org.id
    service.apply_deposit(lot.id, org_id, None, SYSTEM)
    split = [("costs", 1_000_00), ("shortfall", 5_000_00), ("debt", 4_000_00)]
    for _ in range(2):
        assert service.forfeit_deposit(lot.id, org_id, split, SYSTEM) == AMOUNT
        db.session.commit()
    assert deposit(lot).state == "forfeited" and deposit(lot).applied_minor == 0
    assert {use: -ledger.balance(ledger.forfeited_for(lot.id, use)).posted_minor for use, _ in split} == dict(split)
    assert ledger.balance(ledger.price_of(lot.id)).posted_minor == 0
    assert_ledger(lot)


def test_forfeiting_more_than_was_held_is_refused(app: Zhiliu) -> None:
    lot, managers = paid_lot(), make_managers()
    pay(managers, expected(lot))
    with pytest.raises(Refused) as refused:
        service.forfeit_deposit(lot.id, lot.bidders[0].org.id, [("costs", AMOUNT + 1)], SYSTEM)
    assert refused.value.code == "split_too_large"


def test_what_the_forfeiture_leaves_over_goes_back(app: Zhiliu) -> None:
    lot, managers = paid_lot(), make_managers()
    pay(managers, expected(lot))
    service.forfeit_deposit(lot.id, lot.bidders[0].org.id, {"costs": 4_000_00}, SYSTEM)
    db.session.commit()
    assert deposit(lot).state == "release_due" and due_payouts()[0].amount_minor == 6_000_00
    pay_out(managers, due_payouts())
    assert deposit(lot).state == "forfeited" and deposit(lot).released_minor == 6_000_00
    assert_ledger(lot)


def test_money_after_the_forfeiture_does_not_revive_the_purchase(app: Zhiliu) -> None:
    lot, managers = paid_lot(), make_managers()
    pay(managers, expected(lot))
    org_id = lot.bidders[0].org.id
    service.apply_deposit(lot.id, org_id, None, SYSTEM)
    balance = service.open_balance(lot.id, org_id, 90_000_00, "CNY", now())
    db.session.commit()
    pay(managers, balance, 30_000_00)
    service.forfeit_deposit(lot.id, org_id, [("costs", AMOUNT)], SYSTEM)
    assert service.cancel_balance(lot.id, org_id, now(), SYSTEM) == 30_000_00
    db.session.commit()
    pay(managers, balance, 60_000_00)
    db.session.refresh(balance)
    assert balance.state == "cancelled" and balance.received_minor == 30_000_00
    assert sorted((p.purpose, p.amount_minor) for p in due_payouts()) == [
        ("balance_return", 30_000_00),
        ("line_return", 60_000_00),
    ]
    assert not list(db.session.query(Event).filter_by(kind="balance.paid"))
    pay_out(managers, due_payouts())
    assert ledger.balance(ledger.price_of(lot.id)).posted_minor == 0
    assert_ledger(lot)


def test_deposit_equal_to_the_price_settles_a_zero_balance_and_still_tells(app: Zhiliu) -> None:
    lot = paid_lot()
    for _ in range(2):
        made = service.open_balance(lot.id, lot.bidders[0].org.id, 0, "CNY", now())
        db.session.commit()
        assert made.state == "paid"
    assert db.session.query(Event).filter_by(kind="balance.paid").count() == 1


def test_price_goes_to_the_seller_through_an_order(app: Zhiliu) -> None:
    lot, managers = paid_lot(), make_managers()
    pay(managers, expected(lot))
    org_id = lot.bidders[0].org.id
    service.apply_deposit(lot.id, org_id, None, SYSTEM)
    balance = service.open_balance(lot.id, org_id, 90_000_00, "CNY", now())
    db.session.commit()
    with pytest.raises(Refused) as refused:
        service.owe_proceeds(lot.id, lot.seller.id, SYSTEM)
    assert refused.value.code == "price_not_paid"
    pay(managers, balance)
    for _ in range(2):
        payout = service.owe_proceeds(lot.id, lot.seller.id, SYSTEM)
        db.session.commit()
        assert payout is not None and payout.amount_minor == 100_000_00
    pay_out(managers, due_payouts())
    money = queries.money_of_lot(lot.id)
    assert money.price_received_minor == money.proceeds_paid_minor == 100_000_00
    assert all(row.posted_minor == 0 and row.pending_minor == 0 for row in ledger.trial_balance())


def test_a_payment_the_bank_refused_is_due_again_and_paid_once(app: Zhiliu) -> None:
    lot, managers = paid_lot(), make_managers()
    pay(managers, expected(lot))
    service.release_lot_deposits(lot.id, [], now(), SYSTEM)
    db.session.commit()
    payout = due_payouts()[0]
    pay_out(managers, [payout], failures={payout.id: "账号与户名不符"})
    assert deposit(lot).state == "release_due" and payout.state == "due" and payout.failure == "账号与户名不符"
    assert ledger.balance(ledger.BANK).posted_minor == AMOUNT
    pay_out(managers, [payout])
    assert deposit(lot).state == "released" and ledger.balance(ledger.BANK).posted_minor == 0
    assert_ledger(lot)


def test_pending_payments_show_in_the_ledger_but_do_not_count(app: Zhiliu) -> None:
    lot, managers = paid_lot(), make_managers()
    pay(managers, expected(lot))
    service.release_lot_deposits(lot.id, [], now(), SYSTEM)
    db.session.commit()
    order_of(managers, due_payouts())
    bank = ledger.balance(ledger.BANK)
    assert (bank.posted_minor, bank.pending_minor) == (AMOUNT, -AMOUNT)


def test_unknown_organisation_has_no_deposit(app: Zhiliu) -> None:
    lot = make_lot(0)
    assert queries.deposit_of(lot.id, make_org().id) is None
