"""Each pair of acts on one lot at the same moment (failure modes 1.1-1.8, 1.16): one order, one truth."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from marketplace import Zhiliu
from marketplace.auctions import service
from marketplace.auctions.models import BidRefusal, CourseEntry, LotResult, Registration
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.models import Event, Outbox
from marketplace.money.models import Deposit
from tests.factories.auctions import NOTICE, MadeLot, make_lot, make_short_lot, set_times
from tests.factories.parties import make_actor
from tests.race.auctions import holds, race

START, STEP = 100_000_00, 1_000_00
ROUNDS = range(4)


def bidder(lot: MadeLot, number: int, amount: int, key: str | None = None) -> object:
    actor, lot_id = lot.bidders[number].actor, lot.id
    return lambda: service.place_bid(actor, lot_id, amount, key or uuid.uuid4().hex)


def count(lot: MadeLot, kind: str) -> int:
    return (
        db.session.scalar(
            select(func.count(CourseEntry.id)).where(CourseEntry.lot_id == lot.id, CourseEntry.kind == kind)
        )
        or 0
    )


def test_of_eight_equal_bids_one_leads(app: Zhiliu) -> None:
    lot = make_lot(8)
    answers = race(app, *(bidder(lot, n, START) for n in range(8)))
    assert Counter(a.code for a in answers) == {"accepted": 1, "below_minimum": 7}
    assert db.session.scalar(select(func.count(BidRefusal.id))) == 7
    holds(lot.id, accepted={lot.id: 1})


def test_rising_bids_from_many_threads_keep_one_price(app: Zhiliu) -> None:
    lot = make_lot(8)
    lot_id = lot.id

    def storm(number: int) -> object:
        actor = lot.bidders[number].actor

        def run() -> int:
            taken = 0
            for step in range(12):
                answer = service.place_bid(actor, lot_id, START + (step * 8 + number) * STEP, uuid.uuid4().hex)
                db.session.commit()
                taken += answer.accepted
            return taken

        return run

    answers = race(app, *(storm(n) for n in range(8)))
    holds(lot_id, accepted={lot_id: sum(answers)})
    assert lot.state.version == 1 + sum(answers)


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_bid_at_the_boundary_is_in_the_result_or_refused(app: Zhiliu, _round: int) -> None:
    """Bids and closes without pause around the true end: the last accepted bid wins, none comes later."""
    lot = make_short_lot(3, seconds=1.0)
    lot_id = lot.id
    assert lot.bid(0, START).accepted

    def bids(number: int) -> object:
        actor = lot.bidders[number].actor

        def run() -> int:
            taken = 0
            while True:
                lowest = service.place_bid(actor, lot_id, START + STEP, uuid.uuid4().hex).standing
                db.session.commit()
                assert lowest is not None
                answer = service.place_bid(actor, lot_id, lowest.minimum_minor, uuid.uuid4().hex)
                db.session.commit()
                taken += answer.accepted
                if answer.code == "closed" or taken >= 15:
                    return taken

        return run

    def close() -> int:
        tries = 0
        while service.close_lot(lot_id) is not None:
            db.session.commit()
            tries += 1
        return tries

    race(app, bids(1), bids(2), close, close)
    state = lot.state
    assert state.state == "sold" and db.session.scalar(select(func.count(LotResult.lot_id))) == 1
    holds(lot_id)


@pytest.mark.parametrize("_round", ROUNDS)
def test_bids_in_the_last_minutes_extend_from_the_end_as_it_stands(app: Zhiliu, _round: int) -> None:
    lot = make_lot(4)
    set_times(lot.id, ends_at=now() + timedelta(minutes=3))
    answers = race(app, *(bidder(lot, n, START + n * STEP) for n in range(4)))
    accepted = sorted((a for a in answers if a.accepted), key=lambda a: a.seq)
    ends = [a.ends_at for a in accepted]
    assert ends == sorted(ends) and all(a.ends_at == a.decided_at + timedelta(minutes=5) for a in accepted)
    assert lot.state.extensions == len(accepted) and lot.state.ends_at == ends[-1]
    holds(lot.id, accepted={lot.id: len(accepted)})


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_bid_against_a_suspension(app: Zhiliu, _round: int) -> None:
    lot = make_lot()
    manager, lot_id = make_actor("platform"), lot.id
    answer, _state = race(app, bidder(lot, 0, START), lambda: service.suspend_lot(manager, lot_id, "故障").state)
    kinds = list(db.session.scalars(select(CourseEntry.kind).order_by(CourseEntry.seq)))
    assert kinds == (["bid", "suspended"] if answer.accepted else ["suspended"])
    assert answer.accepted or answer.code == "suspended"
    holds(lot_id)


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_bid_against_a_withdrawal(app: Zhiliu, _round: int) -> None:
    lot = make_lot()
    manager, lot_id = make_actor("platform"), lot.id
    answer, _ = race(app, bidder(lot, 0, START), lambda: service.withdraw_lot(manager, lot_id, "债务清偿").state)
    assert answer.accepted or answer.code == "withdrawn"
    assert lot.state.state == "withdrawn" and lot.state.bids == int(answer.accepted)
    assert set(db.session.scalars(select(Deposit.state))) == {"release_due"}
    holds(lot_id)


def test_a_bid_against_a_bar(app: Zhiliu) -> None:
    lot = make_lot()
    manager, registration_id = make_actor("platform"), lot.bidders[0].registration.id
    bid, bar = race(app, bidder(lot, 0, START), lambda: service.bar_bidder(manager, registration_id, "串通").state)
    assert (bid.code, getattr(bar, "code", bar)) in {("accepted", "leader"), ("barred", "barred")}
    holds(lot.id)


def test_five_closes_give_one_result(app: Zhiliu) -> None:
    lot = make_lot(3)
    for number in range(3):
        lot.bid(number, START + number * STEP)
    lot.end()
    lot_id = lot.id
    race(app, *(lambda: service.close_lot(lot_id) for _ in range(5)))
    assert db.session.scalar(select(func.count(LotResult.lot_id))) == 1 and count(lot, "closed") == 1
    sold = db.session.scalar(select(func.count(Event.id)).where(Event.kind == "lot.sold"))
    papers = db.session.scalar(select(func.count(Outbox.id)).where(Outbox.topic == "protocol.make"))
    assert (sold, papers) == (1, 1)


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_close_against_a_suspension(app: Zhiliu, _round: int) -> None:
    lot = make_lot()
    lot.bid(0, START)
    manager, lot_id = make_actor("platform"), lot.id
    lot.end()
    _, suspended = race(
        app, lambda: service.close_lot(lot_id), lambda: service.suspend_lot(manager, lot_id, "故障").state
    )
    assert suspended.code == "closed" and lot.state.state == "sold"


def test_the_same_key_twice_is_one_bid_and_one_answer(app: Zhiliu) -> None:
    lot = make_lot()
    answers = race(app, *(bidder(lot, 0, START, "same") for _ in range(6)))
    assert all(a == answers[0] and a.accepted for a in answers)
    assert sorted(a.replayed for a in answers) == [False] + [True] * 5
    holds(lot.id, accepted={lot.id: 1})


def test_the_same_key_with_another_amount_is_refused_once_used(app: Zhiliu) -> None:
    lot = make_lot()
    answers = race(app, *(bidder(lot, 0, START + n * STEP, "same") for n in range(4)))
    assert Counter(a.code for a in answers) == {"accepted": 1, "key_reused": 3}
    holds(lot.id, accepted={lot.id: 1})


def test_registering_twice_makes_one_registration_and_one_deposit(app: Zhiliu) -> None:
    lot = make_lot(0)
    actor, lot_id = make_actor("operator"), lot.id
    ids = race(app, *(lambda: service.register(actor, lot_id, NOTICE).id for _ in range(4)))
    assert len(set(ids)) == 1
    assert db.session.scalar(select(func.count(Registration.id))) == 1
    assert db.session.scalar(select(func.count(Deposit.id))) == 1


def test_codes_of_many_who_register_at_once_differ(app: Zhiliu) -> None:
    lot = make_lot(0)
    actors, lot_id = [make_actor("operator") for _ in range(8)], lot.id
    codes = race(app, *((lambda a=a: service.register(a, lot_id, NOTICE).code) for a in actors))
    assert len(set(codes)) == 8 and all(len(code) == 4 for code in codes)


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_deposit_confirmed_while_the_round_closes_is_held_or_goes_back(app: Zhiliu, _round: int) -> None:
    """Never held for nothing after the end: either cancelled unpaid, or due for release."""
    lot = make_lot(1)
    lot.bid(0, START)
    late = make_lot_bidder(lot)
    lot.end()
    lot_id, registration = lot.id, late

    def confirm() -> None:
        row = db.session.get_one(Registration, registration)
        hold_if_due(row)

    race(app, lambda: service.close_lot(lot_id), confirm)
    deposit = db.session.scalars(select(Deposit).where(Deposit.registration_id == late)).one()
    assert deposit.state in ("cancelled", "release_due")


def make_lot_bidder(lot: MadeLot) -> int:
    registration = service.register(make_actor("operator"), lot.id, NOTICE)
    db.session.commit()
    return registration.id


def hold_if_due(registration: Registration) -> None:
    """As the money room confirms a payment: the deposit's lock, its state, then the event."""
    from marketplace.core.actor import SYSTEM
    from marketplace.money.deposits import receive, tell_held
    from marketplace.money.locks import lock_deposit, lock_receivables

    deposit = lock_deposit(registration.lot_id, registration.org_id)
    assert deposit is not None and deposit.receivable_id is not None
    receivable = lock_receivables([deposit.receivable_id])[deposit.receivable_id]
    if receive(deposit, receivable, deposit.amount_minor, SYSTEM):
        db.session.flush()
        tell_held(deposit, SYSTEM)
