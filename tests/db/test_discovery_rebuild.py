"""The rebuild and the nightly comparison: nothing lost, nothing doubled, drift found and mended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from marketplace import Zhiliu
from marketplace.core.actor import SYSTEM
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Refused
from marketplace.core.models import Outbox
from marketplace.discovery import compare, handlers, rebuild, sync, truth
from marketplace.discovery.models import SearchDocument, SearchRebuild
from marketplace.listings import service as listings
from search.document import Document
from search.result import Fault
from tests.factories.listings import make_listing
from tests.factories.search import Generation, Memory, use_memory


@pytest.fixture
def engine(app: Zhiliu, monkeypatch: pytest.MonkeyPatch) -> Memory:
    return use_memory(app, monkeypatch)


def asked() -> int:
    made = rebuild.ask(SYSTEM, by_worker=False).id
    db.session.commit()
    return made


def held(engine: Memory) -> dict[int, int]:
    return {int(key): version for key, version in engine.versions()}


def wanted() -> dict[int, int]:
    db.session.commit()
    return dict(db.session.execute(select(SearchDocument.listing_id, SearchDocument.version)).all())


def row(rebuild_id: int) -> SearchRebuild:
    db.session.commit()
    return db.session.get_one(SearchRebuild, rebuild_id, populate_existing=True)


def test_a_rebuild_fills_an_empty_index_and_needs_no_second_write(engine: Memory) -> None:
    for _ in range(3):
        make_listing()
    seen: list[tuple[int, int]] = []
    made = asked()
    assert rebuild.run(made, lambda done, total: seen.append((done, total)))
    assert held(engine) == wanted() and len(engine.generations) == 1
    assert seen[-1] == (3, 3)
    assert (row(made).state, row(made).done, row(made).faults) == ("done", 3, 0)
    assert sync.run() == 0


def test_a_change_that_only_the_old_generation_got_is_written_again(
    engine: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process that wrote before it learned of the new generation."""
    first, second = make_listing(), make_listing()
    sync.run()
    copy = Generation.write

    def meanwhile(self: Generation, documents: Sequence[Document]) -> list[Fault]:
        faults = copy(self, documents)
        engine.generations = [one for one in engine.generations if one is not self.kept]
        listings.suspend(first.manager, first.id, "系统故障")
        db.session.commit()
        sync.run()
        engine.generations.append(self.kept)
        return faults

    monkeypatch.setattr(Generation, "write", meanwhile)
    assert rebuild.run(asked())
    assert engine.kept[str(first.id)].keywords["status"] == ("scheduled",)  # what the swap alone would have left
    assert sync.run() == 1
    assert engine.kept[str(first.id)].keywords["status"] == ("suspended",)
    assert held(engine) == wanted() and second.id in held(engine)


def test_one_rebuild_at_a_time(engine: Memory) -> None:
    make_listing()
    made = asked()
    with pytest.raises(Refused, match="rebuild_running"):
        rebuild.ask(SYSTEM, by_worker=False)
    db.session.rollback()
    assert rebuild.run(made)
    assert not rebuild.run(made)  # a message that comes twice
    assert asked() > made


def test_a_rebuild_whose_worker_died_begins_again(engine: Memory) -> None:
    make_listing()
    made = asked()
    db.session.execute(
        text("UPDATE search_rebuild SET state = 'running', beat_at = clock_timestamp() - interval '1 hour'")
    )
    db.session.commit()
    rebuild.resume()
    db.session.commit()
    assert row(made).state == "failed"
    message = db.session.scalars(select(Outbox).where(Outbox.topic == rebuild.TOPIC)).one()
    handlers.build_anew(message.id, message.payload)
    assert row(int(message.payload["id"])).state == "done"
    assert held(engine) == wanted()


def test_one_taken_for_dead_swaps_nothing(engine: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    make_listing()
    made = asked()
    copy = Generation.write

    def slowly(self: Generation, documents: Sequence[Document]) -> list[Fault]:
        with sync.own_transaction():
            db.session.execute(text("UPDATE search_rebuild SET beat_at = clock_timestamp() - interval '1 hour'"))
        rebuild.resume()
        db.session.commit()
        return copy(self, documents)

    monkeypatch.setattr(Generation, "write", slowly)
    assert not rebuild.run(made)
    assert held(engine) == {} and len(engine.generations) == 1 and row(made).state == "failed"


def test_an_engine_that_goes_away_fails_the_rebuild_and_keeps_the_old_index(
    engine: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_listing()
    sync.run()
    before = dict(engine.kept)

    def gone(self: Generation, documents: Sequence[Document]) -> list[Fault]:
        engine.down = True
        engine._reach()
        return []

    monkeypatch.setattr(Generation, "write", gone)
    made = asked()
    assert not rebuild.run(made)
    engine.down = False
    assert engine.kept == before and row(made).state == "failed" and "EngineDown" in (row(made).error or "")


def kinds(found: compare.Differences) -> tuple[int, ...]:
    return (found.unknown_offers, found.changed, found.missing, found.older, found.newer, found.strangers)


def test_the_comparison_finds_nothing_where_nothing_differs(engine: Memory) -> None:
    make_listing()
    sync.run()
    assert compare.compare().total == 0


def test_the_comparison_mends_every_kind_of_drift(engine: Memory) -> None:
    lost, old, newer, rowless, drifted = (make_listing() for _ in range(5))
    sync.run()
    del engine.kept[str(lost.id)]
    engine.kept[str(old.id)] = Document(id=str(old.id), version=1)
    db.session.execute(text("UPDATE search_document SET version = 5, indexed_version = 5 WHERE listing_id = :id"),
                       {"id": old.id})  # fmt: skip
    engine.kept[str(newer.id)] = Document(id=str(newer.id), version=99)
    engine.kept["987654"] = Document(id="987654", version=7)
    db.session.execute(text("DELETE FROM search_document WHERE listing_id = :id"), {"id": rowless.id})
    db.session.execute(text("UPDATE search_document SET digest = 'other' WHERE listing_id = :id"), {"id": drifted.id})
    db.session.commit()
    looked = compare.compare(repair=False)
    assert sync.run() == 0
    found = compare.compare()
    assert kinds(looked) == (1, 1, 1, 1, 1, 2)  # the document of the offer without a row is a stranger too
    assert kinds(found) == (1, 1, 1, 1, 2, 1)  # marked, it has a lower version than the index knows
    sync.run()
    assert "987654" not in engine.found()
    assert {key: v for key, v in held(engine).items() if key != 987654} == wanted()
    assert engine.found()[str(newer.id)].texts
    assert compare.compare().total == 0


def test_health_that_changed_by_the_calendar_is_found_at_night(engine: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_listing()
    sync.run()
    from marketplace.discovery import documents

    monkeypatch.setattr(documents, "now", lambda: now() + timedelta(days=365 * 3))
    found = compare.compare()
    assert found.changed == 1
    health = engine.kept[str(made.id)].numbers["health"]
    sync.run()
    assert engine.kept[str(made.id)].numbers["health"] < health


def test_an_index_that_was_lost_fills_itself(app: Zhiliu, engine: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    make_listing()
    sync.run()
    assert sync.run() == 0
    new = use_memory(app, monkeypatch)  # a process that starts on an empty index
    assert sync.run() == 1
    assert held(new) == wanted()


def test_the_night_begins_after_midnight_in_shanghai() -> None:
    from datetime import UTC, datetime

    assert handlers.next_night(datetime(2026, 11, 22, 16, 0, tzinfo=UTC)) == datetime(2026, 11, 22, 16, 20, tzinfo=UTC)
    assert handlers.next_night(datetime(2026, 11, 22, 16, 20, tzinfo=UTC)) == datetime(2026, 11, 23, 16, 20, tzinfo=UTC)


def test_periodic_work_has_its_rows(app: Zhiliu) -> None:
    from marketplace.core import deadlines
    from marketplace.core.models import Deadline

    for _ in range(2):
        deadlines.begin_periodic()
        db.session.commit()
    kinds = sorted(db.session.scalars(select(Deadline.kind).where(Deadline.kind.startswith("search."))))
    assert kinds == ["search.nightly", "search.sweep"]
    assert truth.TOPIC == "search.sync"
