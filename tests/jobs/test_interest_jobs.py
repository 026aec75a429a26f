"""Standing interest by the tick and the workers: found in order, twice without harm, after a crash and a lost Redis."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from jobs import queues, tick, worker
from marketplace import Zhiliu
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.models import Deadline, Outbox
from marketplace.discovery.engines import Breaker, Searching
from marketplace.interest import standing
from marketplace.interest.models import MatchTodo, Need, SavedSearchHit
from search.engines.embedded import Embedded
from tests.factories.interest import battery_listing, mails, make_need, make_search


@pytest.fixture
def index(app: Zhiliu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Embedded]:
    made = Embedded(tmp_path / "search")
    made.prepare()
    monkeypatch.setitem(app.extensions, "search", Searching(made, breaker=Breaker(pause=0)))
    yield made


def work(app: Zhiliu, rounds: int = 4) -> None:
    for _round in range(rounds):
        tick.tick(app)
        for queue in (queues.DEADLINES, queues.OUTBOX, queues.SEARCH):
            worker.work(app, queue, burst=True)
    db.session.rollback()


def hits() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(SavedSearchHit)) or 0


def test_from_publication_to_the_mail_by_workers_alone(index: Embedded, app: Zhiliu) -> None:
    make_search(query="q=隔膜")
    work(app)
    battery_listing()
    work(app)
    assert hits() == 1 and len(mails("新增")) == 1
    assert db.session.scalar(select(func.count()).select_from(MatchTodo)) == 0


def test_a_worker_killed_before_the_hits_are_written_costs_only_time(
    index: Embedded, app: Zhiliu, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_search(query="q=隔膜")
    work(app)
    battery_listing()

    def killed(*given: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as broken:
        broken.setattr(standing, "keep", killed)
        work(app, 3)
    assert hits() == 0 and db.session.scalar(select(func.count()).select_from(MatchTodo)) == 1
    db.session.execute(db.update(Outbox).values(available_at=now() - timedelta(seconds=1)))  # the lease ends
    db.session.commit()
    queues.connect(app).flushall()
    work(app)
    work(app)
    assert hits() == 1 and len(mails("新增")) == 1


def test_the_same_message_twice_tells_once(index: Embedded, app: Zhiliu) -> None:
    make_search(query="q=隔膜")
    work(app)
    listing_id = battery_listing().id
    work(app)
    for _twice in range(2):
        standing.note([listing_id])
        db.session.commit()
        work(app, 2)
    assert hits() == 1 and len(mails("新增")) == 1


def test_the_tick_ends_a_need_on_its_day(index: Embedded, app: Zhiliu) -> None:
    need_id = make_need().id
    db.session.execute(text("UPDATE need SET valid_until = valid_until - 365"))
    db.session.execute(db.update(Deadline).where(Deadline.kind == "need.expire").values(due_at=now()))
    db.session.commit()
    work(app, 2)
    assert db.session.get_one(Need, need_id, populate_existing=True).state == "expired"
    assert len(mails("已到期")) == 1
