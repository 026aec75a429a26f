"""A sale driven by real tick and worker processes: they are killed, Redis is flushed, four ticks run; it ends once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import func, select

from jobs import tick
from marketplace import Zhiliu
from marketplace.auctions.invariants import broken
from marketplace.auctions.models import CourseEntry, LotResult
from marketplace.core.db import db
from marketplace.core.models import Deadline, Event, Outbox
from tests.factories.auctions import MadeLot, make_short_lot

pytestmark = pytest.mark.timeout(300)  # processes start slowly on a busy machine
START, STEP = 100_000_00, 1_000_00
ROOT = Path(__file__).resolve().parents[2]
# a worker that is told to stop in the middle of a close: the close is written, the commit has not come
STUCK_IN_CLOSE = """
import sys, time
from marketplace import create_app
from marketplace.auctions import service_close
from jobs import worker
whole = service_close._write
def stuck(*arguments):
    whole(*arguments)
    print("written", flush=True)
    time.sleep(60)
service_close._write = stuck
worker.work(create_app(), "deadlines")
"""


class Processes:
    """Real processes of the product on the test's servers; ended by their own ids."""

    def __init__(self, app: Zhiliu) -> None:
        settings = app.settings
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "FLASK_APP": "wsgi.py",
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "SECRET_KEY": settings.secret_key,
            "PASSWORD_SALT": settings.password_salt,
            "SIGNING_KEY_FILE": str(settings.signing_key_file),
            "DATABASE_POOL": "2",
            "BASE_URL": settings.base_url,
            "MAIL_DIR": str(settings.mail_dir),
            "SEARCH_DIR": str(settings.search_dir),  # the site of the test reads what its workers write
        }
        self.running: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=self.environment, text=True, stdout=subprocess.PIPE
        )
        self.running.append(process)
        return process

    def tick(self) -> subprocess.Popen[str]:
        return self.start("-m", "flask", "jobs", "tick")

    def work(self, queue: str) -> subprocess.Popen[str]:
        return self.start("-m", "flask", "jobs", "work", queue)

    def kill(self, process: subprocess.Popen[str]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def stop(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait(10)
            if process.stdout:
                process.stdout.close()


@pytest.fixture
def processes(app: Zhiliu) -> Iterator[Processes]:
    started = Processes(app)
    yield started
    started.stop()


def wait_for(found: object, seconds: float = 30) -> None:
    """Until ``found()`` holds; fails after so many seconds."""
    until = time.monotonic() + seconds
    while not found():  # type: ignore[operator]
        db.session.rollback()
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)
    db.session.rollback()


def workers_are_up(app: Zhiliu, count: int) -> None:
    from rq import Worker

    connection = Redis.from_url(app.settings.redis_url)
    wait_for(lambda: Worker.count(connection=connection) >= count, 120)
    connection.close()


def closed(lot: MadeLot) -> bool:
    return lot.state.state in ("sold", "unsold")


def ended_once(lot: MadeLot) -> None:
    """One result, one closed entry, one of each effect, every invariant."""
    lot_id = lot.id
    counts = {
        "results": select(func.count(LotResult.lot_id)),
        "closed": select(func.count(CourseEntry.id)).where(CourseEntry.kind == "closed"),
        "sold": select(func.count(Event.id)).where(Event.kind == "lot.sold"),
        "papers": select(func.count(Outbox.id)).where(Outbox.topic == "protocol.make"),
    }
    assert {name: db.session.scalar(query) for name, query in counts.items()} == dict.fromkeys(counts, 1)
    assert broken([lot_id]) == []


def test_tick_and_worker_close_within_two_seconds_of_the_end(app: Zhiliu, processes: Processes) -> None:
    processes.tick()
    processes.work("deadlines")
    workers_are_up(app, 1)
    lot = make_short_lot(seconds=3)
    assert lot.bid(0, START).accepted
    wait_for(lambda: closed(lot))
    result = db.session.get_one(LotResult, lot.id)
    assert result.closed_at - result.final_ends_at < timedelta(seconds=2)
    ended_once(lot)


def test_a_worker_killed_between_claim_and_effect_costs_only_the_lease(app: Zhiliu, processes: Processes) -> None:
    worker = processes.start("-c", STUCK_IN_CLOSE)
    workers_are_up(app, 1)
    lot = make_short_lot(seconds=1)
    assert lot.bid(0, START).accepted
    lot.wait_for_end()
    tick.tick(app)
    assert worker.stdout is not None and worker.stdout.readline().strip() == "written"
    processes.kill(worker)  # its transaction is rolled back by the server
    assert lot.state.state == "running"
    row = db.session.scalars(select(Deadline).where(Deadline.kind == "lot.close")).one()
    assert row.state == "pending" and row.claimed_until is not None
    row.claimed_until = None  # the lease of thirty seconds runs out
    db.session.commit()
    processes.work("deadlines")
    tick.tick(app)
    wait_for(lambda: closed(lot))
    ended_once(lot)


def test_redis_flushed_before_the_close_loses_nothing(app: Zhiliu, processes: Processes) -> None:
    lot = make_short_lot(seconds=1)
    assert lot.bid(0, START).accepted
    lot.wait_for_end()
    tick.tick(app)
    with Redis.from_url(app.settings.redis_url) as redis:
        redis.flushall()
    db.session.execute(db.update(Deadline).values(claimed_until=None))  # the lease runs out
    db.session.commit()
    processes.work("deadlines")
    tick.tick(app)
    wait_for(lambda: closed(lot))
    ended_once(lot)


def test_four_ticks_and_two_workers_close_once(app: Zhiliu, processes: Processes) -> None:
    for _ in range(4):
        processes.tick()
    for _ in range(2):
        processes.work("deadlines")
    workers_are_up(app, 2)
    lot = make_short_lot(seconds=2)
    assert lot.bid(0, START).accepted and lot.bid(1, START + STEP).accepted
    wait_for(lambda: closed(lot))
    ended_once(lot)


def test_the_whole_end_by_processes_publishes_the_papers(app: Zhiliu, processes: Processes) -> None:
    processes.tick()
    processes.work("deadlines")
    processes.work("outbox")
    workers_are_up(app, 2)
    lot = make_short_lot(seconds=1)
    assert lot.bid(0, START).accepted
    wait_for(lambda: closed(lot))
    wait_for(lambda: db.session.get_one(LotResult, lot.id, populate_existing=True).published_at is not None, 60)
    ended_once(lot)
