"""The queue of the index on real Redis, RQ and processes: Redis away, a rebuild while others write."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import select, text

from jobs import queues, tick, worker
from marketplace import Zhiliu
from marketplace.core import deadlines
from marketplace.core.db import db
from marketplace.core.models import Outbox
from marketplace.demo.processes import ROOT
from marketplace.discovery import compare, rebuild, sync, truth
from marketplace.discovery.models import SearchDocument, SearchRebuild
from search.engines.embedded import Embedded
from tests.factories.auctions import make_lot
from tests.factories.listings import make_listing
from tests.factories.search import copies, use_embedded, use_memory

LATER = text(
    "UPDATE lot_state SET ends_at = ends_at + interval '1 second'"
    " WHERE lot_id IN (SELECT id FROM lot WHERE listing_id = ANY(:ids))"
)


def work(app: Zhiliu) -> None:
    worker.work(app, queues.SEARCH, burst=True)


def test_a_change_reaches_the_index_by_its_own_queue(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = use_memory(app, monkeypatch)
    listing_id = make_listing().id
    tick.tick(app)
    assert Redis.from_url(app.settings.redis_url).llen("rq:queue:search") == 1
    assert engine.kept == {}
    work(app)
    assert str(listing_id) in engine.found()
    db.session.rollback()
    states = db.session.scalars(select(Outbox.state).where(Outbox.topic == truth.TOPIC)).all()
    assert states == ["done"]


def test_the_sweep_falls_due_again_and_asks_for_what_waits(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = use_memory(app, monkeypatch)
    sale = make_lot(1)
    listing_id, start = sale.lot.listing_id, sale.lot.start_minor
    db.session.execute(text("UPDATE outbox SET state = 'done' WHERE topic = 'search.sync'"))  # a message that was lost
    deadlines.begin_periodic()
    db.session.commit()
    assert sale.bid(0, start).accepted
    tick.tick(app)
    worker.work(app, queues.DEADLINES, burst=True)
    tick.tick(app)
    work(app)
    assert engine.found()[str(listing_id)].numbers["price_minor"] == start
    due = db.session.execute(
        text("SELECT extract(epoch FROM due_at - clock_timestamp()) FROM deadline WHERE kind = 'search.sweep'")
    ).scalar_one()
    assert 0 < due <= 10


def test_while_redis_is_away_closes_do_not_wait_for_the_index(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = use_memory(app, monkeypatch)
    listing_id = make_listing().id
    with monkeypatch.context() as away:
        away.setitem(app.extensions, "redis", Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=1))
        tick.tick(app)
    assert engine.kept == {}
    db.session.rollback()
    assert db.session.scalars(select(Outbox.state).where(Outbox.topic == truth.TOPIC)).all() == ["pending"]
    db.session.execute(text("UPDATE outbox SET available_at = clock_timestamp()"))  # the lease ends
    db.session.commit()
    tick.tick(app)
    work(app)
    assert str(listing_id) in engine.found()


def test_a_rebuild_asked_for_is_done_by_the_worker(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.factories.parties import make_actor

    engine = use_memory(app, monkeypatch)
    make_listing()
    rebuild.ask(make_actor("platform"))
    db.session.commit()
    tick.tick(app)
    work(app)
    db.session.rollback()
    assert db.session.scalars(select(SearchRebuild.state)).all() == ["done"]
    assert len(engine.found()) == 1


def environment(app: Zhiliu, folder: Path) -> dict[str, str]:
    settings = app.settings
    return os.environ | {
        "DATABASE_URL": settings.database_url.replace("+psycopg", ""), "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key, "PASSWORD_SALT": settings.password_salt,
        "SIGNING_KEY_FILE": str(settings.signing_key_file), "SEARCH_DIR": str(folder / "search"),
        "SECURE_COOKIES": "false", "MAIL_DIR": str(folder / "mail"),
    }  # fmt: skip


def flask(app: Zhiliu, folder: Path, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi:app", *command], cwd=ROOT, text=True,
        env=environment(app, folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.timeout(300)
def test_a_rebuild_in_one_process_while_another_writes_loses_and_doubles_nothing(
    app: Zhiliu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offers change, and are written from here, all the while other processes build generation after generation."""
    engine = use_embedded(app, tmp_path, monkeypatch)
    ids = copies(make_listing(), 1200)
    sync.run(box_seconds=60)
    first, swaps, changes = engine.places.current(), set(), 0
    for _ in range(2):
        process = flask(app, tmp_path, "search", "reindex")
        while process.poll() is None:
            some = [ids[(changes * 37 + n) % len(ids)] for n in range(20)]
            db.session.execute(LATER, {"ids": some})
            truth.note(some)
            db.session.commit()
            sync.run(box_seconds=1)
            changes += 1
            swaps.add(engine.places.current())
        output = process.communicate()[0]
        assert process.returncode == 0 and "swapped" in output, output
    swaps.add(engine.places.current())
    assert len(swaps - {first}) == 2 and changes > 5
    sync.run(box_seconds=60)
    db.session.rollback()
    wanted = dict(db.session.execute(select(SearchDocument.listing_id, SearchDocument.version)).all())
    held = [(int(key), version) for key, version in Embedded(tmp_path / "search").versions()]
    assert dict(held) == wanted and len(held) == len(wanted)
    assert compare.compare().total == 0
    sample = sync.read(ids[:200])
    kept = {hit.id for hit in engine.search(_in(sample)).hits}
    assert len(kept) == 100


def _in(sample: list[object]) -> object:
    from search.query import Query

    return Query(ids=tuple(item.document.id for item in sample), size=100)  # type: ignore[attr-defined]


@pytest.mark.timeout(120)
def test_a_rebuild_that_is_killed_leaves_the_old_index_and_can_be_had_again(
    app: Zhiliu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = use_embedded(app, tmp_path, monkeypatch)
    copies(make_listing(), 1500)
    sync.run(box_seconds=60)
    before = engine.places.current()
    process = flask(app, tmp_path, "search", "reindex")
    deadline = time.monotonic() + 60
    while engine.places._read("building") is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert engine.places.current() == before and engine.count() == 1501
    db.session.rollback()
    db.session.execute(text("UPDATE search_rebuild SET beat_at = clock_timestamp() - interval '1 hour'"))
    db.session.commit()
    again = flask(app, tmp_path, "search", "reindex")
    output = again.communicate()[0]
    assert again.returncode == 0, output
    assert engine.places.current() != before and engine.count() == 1501
