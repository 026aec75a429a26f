"""Bids on one lot that are decided together: same order, same truth, and nobody suffers for another's fault."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select, text

from marketplace import Zhiliu
from marketplace.auctions import batch, service
from marketplace.auctions.models import CourseEntry
from marketplace.auctions.service_bids import Ask, BidAnswer, decide_all
from marketplace.core.db import db, unit_of_work
from tests.factories.auctions import MadeLot, make_lot
from tests.race.auctions import holds

START, STEP = 100_000_00, 1_000_00


class Queue:
    """Bids, each in a thread of its own, that meet behind one held lock in the order of ``bid`` calls."""

    def __init__(self, app: Zhiliu, lot: MadeLot) -> None:
        self.app, self.lot_id = app, lot.id
        self.actors = [bidder.actor for bidder in lot.bidders]
        self.answers: list[Any] = []
        self.threads: list[threading.Thread] = []

    def bid(self, number: int, amount: int, key: str | None = None) -> None:
        place = len(self.answers)
        self.answers.append(None)

        def run() -> None:
            with self.app.app_context():
                try:
                    with unit_of_work():
                        db.session.execute(text("SELECT 1"))  # as the edge does when it looks who asks
                        answer = service.place_bid_at_once(
                            self.actors[number], self.lot_id, amount, key or uuid.uuid4().hex
                        )
                    self.answers[place] = answer
                except BaseException as error:
                    self.answers[place] = error
                finally:
                    db.session.remove()

        thread = threading.Thread(target=run)
        thread.start()
        self.threads.append(thread)
        until = time.monotonic() + 10
        while len(batch._waiting.get(self.lot_id, ())) < place or self.lot_id not in batch._waiting:
            assert time.monotonic() < until, "the bid did not queue up"
            time.sleep(0.005)

    def all(self) -> list[Any]:
        for thread in self.threads:
            thread.join(30)
        assert self.lot_id not in batch._waiting
        db.session.rollback()
        return self.answers


@contextmanager
def queued(app: Zhiliu, lot: MadeLot) -> Iterator[Queue]:
    """The lot's row is locked by someone else until the block ends; then the first bid leads, the rest follow."""
    db.session.commit()
    queue = Queue(app, lot)
    with db.engine.connect() as other:
        other.execute(text("SELECT 1 FROM lot_state WHERE lot_id = :lot FOR UPDATE"), {"lot": lot.id})
        yield queue
        other.rollback()


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bids each turn decided."""
    found: list[int] = []

    def counted(lot_id: int, asks: list[Ask], then_commit: bool = False) -> list[BidAnswer | None]:
        found.append(len(asks))
        return decide_all(lot_id, asks, then_commit)

    monkeypatch.setattr(batch, "decide_all", counted)
    return found


def failing(monkeypatch: pytest.MonkeyPatch, fault: Callable[[list[Ask]], BaseException | None]) -> None:
    def faulty(lot_id: int, asks: list[Ask], then_commit: bool = False) -> list[BidAnswer | None]:
        if error := fault(asks):
            raise error
        return decide_all(lot_id, asks, then_commit)

    monkeypatch.setattr(batch, "decide_all", faulty)


def test_who_waits_for_another_to_decide_holds_no_connection(app: Zhiliu) -> None:
    """Else those who wait could hold every connection while the one who decides for them wants one."""
    lot = make_lot(6)
    with queued(app, lot) as queue:
        for number in range(6):
            queue.bid(number, START + number * STEP)
        assert db.engine.pool.checkedout() <= 2  # type: ignore[attr-defined]  # who holds the row, and who leads
    assert [answer.code for answer in queue.all()] == ["accepted"] * 6


def test_waiting_bids_are_decided_together_in_order(app: Zhiliu, sizes: list[int]) -> None:
    lot = make_lot(6)
    with queued(app, lot) as queue:
        for number in range(5):
            queue.bid(number, START + number * STEP)
        queue.bid(5, START)  # came last: its amount is no longer enough
    answers = queue.all()
    assert [a.code for a in answers] == ["accepted"] * 5 + ["below_minimum"]
    assert [a.seq for a in answers[:5]] == [1, 2, 3, 4, 5]
    assert sizes == [1, 5]
    moments = [a.decided_at for a in answers]
    assert moments == sorted(moments)
    assert len(set(moments)) == 6  # each by its own look at the clock
    assert [a.standing.version for a in answers] == [answers[0].standing.version + n for n in (0, 1, 2, 3, 4, 4)]
    assert len({a.receipt["signature"]["value"] for a in answers[:5]}) == 5
    holds(lot.id, accepted={lot.id: 5})


def test_the_same_key_twice_in_one_queue_gets_one_decision(app: Zhiliu, sizes: list[int]) -> None:
    lot = make_lot(3)
    with queued(app, lot) as queue:
        queue.bid(0, START)
        queue.bid(1, START + STEP, "again")
        queue.bid(2, START + 2 * STEP)
        queue.bid(1, START + STEP, "again")
    first, second, third, again = queue.all()
    assert [a.code for a in (first, second, third, again)] == ["accepted"] * 4
    assert again == second
    assert (second.replayed, again.replayed) == (False, True)
    assert sizes == [1, 2, 1]
    holds(lot.id, accepted={lot.id: 3})


def test_one_bad_bid_hurts_nobody_else(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    lot = make_lot(4)
    bad = START + 2 * STEP
    failing(monkeypatch, lambda asks: ValueError("bad") if any(a.amount_minor == bad for a in asks) else None)
    with queued(app, lot) as queue:
        for number in range(4):
            queue.bid(number, START + number * STEP)
    answers = queue.all()
    assert isinstance(answers[2], ValueError)
    assert answers[0].accepted
    assert answers[3].accepted
    assert answers[1].code in ("accepted", "below_minimum")  # alone, it may come after the last one
    holds(lot.id, accepted={lot.id: sum(a.accepted for a in answers if isinstance(a, BidAnswer))})


def test_when_the_leader_dies_the_others_bid_alone(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    lot = make_lot(4)
    failing(monkeypatch, lambda asks: SystemExit() if len(asks) > 1 else None)
    with queued(app, lot) as queue:
        for number in range(4):
            queue.bid(number, START + number * STEP)
    answers = queue.all()
    assert isinstance(answers[1], SystemExit)  # it led the other two and kept nothing
    assert all(isinstance(answers[n], BidAnswer) for n in (0, 2, 3))
    assert answers[3].accepted
    keys = db.session.scalars(select(CourseEntry.amount_minor).where(CourseEntry.lot_id == lot.id)).all()
    assert START + STEP not in keys
    holds(lot.id)


def test_when_the_commit_is_lost_every_answer_is_still_the_right_one(
    app: Zhiliu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database kept the bids but the leader never heard so: each asks again by its key."""
    lot = make_lot(4)

    def lost(lot_id: int, asks: list[Ask], then_commit: bool = False) -> list[BidAnswer | None]:
        answers = decide_all(lot_id, asks, then_commit)
        if len(asks) > 1:
            raise ConnectionError("after the commit")
        return answers

    monkeypatch.setattr(batch, "decide_all", lost)
    with queued(app, lot) as queue:
        for number in range(4):
            queue.bid(number, START + number * STEP)
    answers = queue.all()
    assert [a.seq for a in answers] == [1, 2, 3, 4]
    assert [a.replayed for a in answers] == [False, True, True, True]
    holds(lot.id, accepted={lot.id: 4})


def test_a_storm_over_two_ways_of_bidding_keeps_one_price(app: Zhiliu) -> None:
    """Together over HTTP, one by one through the service: the same lock, the same course."""
    lot = make_lot(8)
    db.session.commit()
    lot_id, taken = lot.id, [0] * 8
    actors = [bidder.actor for bidder in lot.bidders]

    def run(number: int) -> None:
        act = service.place_bid_at_once if number % 2 else service.place_bid
        with app.app_context():
            for step in range(12):
                with unit_of_work():
                    answer = act(actors[number], lot_id, START + (step * 8 + number) * STEP, uuid.uuid4().hex)
                taken[number] += answer.accepted
            db.session.remove()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    db.session.rollback()
    assert sum(taken) > 0
    holds(lot_id, accepted={lot_id: sum(taken)})
