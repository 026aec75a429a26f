"""The tick and the workers on real PostgreSQL, Redis and RQ."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from jobs import queues, tick, worker
from marketplace import Zhiliu
from marketplace.core import deadlines, outbox
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.events import record
from marketplace.core.models import Deadline, Event, Outbox


@pytest.fixture
def counted() -> Iterator[None]:
    @deadlines.on_due("test.count")
    def count(subject_id: int) -> None:
        record("test.counted", "test", subject_id)

    @deadlines.on_due("test.fail")
    def fail(subject_id: int) -> None:
        raise ValueError("no")

    yield
    deadlines._handlers.pop("test.count")
    deadlines._handlers.pop("test.fail")


def due(count: int, kind: str = "test.count") -> None:
    for n in range(count):
        deadlines.schedule(kind, "test", n, now() - timedelta(seconds=1))
    db.session.commit()


def counted_events() -> list[int]:
    return sorted(db.session.scalars(select(Event.subject_id).where(Event.kind == "test.counted")))


def test_four_ticks_at_once_hand_out_each_deadline_once(app: Zhiliu, counted: None) -> None:
    due(60)
    barrier = threading.Barrier(4)

    def run() -> None:
        with app.app_context():
            barrier.wait()
            tick.tick(app)

    threads = [threading.Thread(target=run) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    worker.work(app, queues.DEADLINES, burst=True)
    assert counted_events() == list(range(60))


def test_a_flushed_redis_loses_nothing(app: Zhiliu, counted: None) -> None:
    due(5)
    tick.tick(app)
    queues.connect(app).flushall()
    assert counted_events() == []
    db.session.execute(db.update(Deadline).values(claimed_until=now() - timedelta(seconds=1)))  # the lease ends
    db.session.commit()
    tick.tick(app)
    worker.work(app, queues.DEADLINES, burst=True)
    assert counted_events() == list(range(5))


def test_a_job_that_runs_twice_acts_once(app: Zhiliu, counted: None) -> None:
    due(1)
    row_id = db.session.scalar(select(Deadline.id))
    assert worker.tasks.run_deadlines([row_id, row_id]) == 1
    assert counted_events() == [0]


def test_a_failing_handler_is_noted_and_tried_again_later(app: Zhiliu, counted: None) -> None:
    due(1, "test.fail")
    tick.tick(app)
    worker.work(app, queues.DEADLINES, burst=True)
    row = db.session.scalar(select(Deadline))
    assert row is not None and row.state == "pending" and "ValueError" in (row.last_error or "")
    assert row.claimed_until is not None and row.claimed_until > now()


def test_without_redis_the_tick_does_the_work_itself(
    app: Zhiliu, counted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from redis import Redis

    monkeypatch.setitem(app.extensions, "redis", Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=1))
    due(3)
    tick.tick(app)
    assert counted_events() == [0, 1, 2]


def test_a_message_is_sent_once_and_a_failing_one_waits(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, object]] = []
    monkeypatch.setitem(outbox._handlers, "test.topic", lambda message_id, payload: sent.append(payload))
    monkeypatch.setitem(outbox._handlers, "test.bad", lambda message_id, payload: 1 / 0)
    outbox.post("test.topic", {"n": 1}, dedupe_key="one")
    outbox.post("test.topic", {"n": 1}, dedupe_key="one")
    outbox.post("test.bad", {"n": 2})
    db.session.commit()
    for _ in range(2):
        tick.tick(app)
        worker.work(app, queues.OUTBOX, burst=True)
    assert sent == [{"n": 1}]
    states = dict(db.session.execute(select(Outbox.topic, Outbox.state)).all())
    assert states == {"test.topic": "done", "test.bad": "pending"}


def test_long_work_has_its_own_queue_and_waits_for_redis(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    from redis import Redis

    ran: list[int] = []
    monkeypatch.setitem(outbox._handlers, "import.run", lambda message_id, payload: ran.append(message_id))
    outbox.post("import.run", {"run_id": 1})
    db.session.commit()
    with monkeypatch.context() as away:
        away.setitem(app.extensions, "redis", Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=1))
        tick.tick(app)
    assert ran == []
    db.session.execute(db.update(Outbox).values(available_at=now() - timedelta(seconds=1)))  # the lease ends
    db.session.commit()
    tick.tick(app)
    worker.work(app, queues.OUTBOX, burst=True)
    assert ran == []
    worker.work(app, queues.IMPORTS, burst=True)
    assert len(ran) == 1
