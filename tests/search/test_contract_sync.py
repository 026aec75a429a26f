"""Versions, tombstones, rebuilds, and writers in many threads and processes at once, in both engines."""

from __future__ import annotations

import multiprocessing
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from search.document import Document, gone
from search.engine import Engine, EngineDown
from search.query import Query
from tests.search.kit import Spec, found, make, open_spec, put

PROCESSES = multiprocessing.get_context("spawn")


def run(*jobs: tuple[Callable[..., None], tuple[Any, ...]]) -> None:
    """Each in a process of its own; all must end well."""
    processes = [PROCESSES.Process(target=job, args=args) for job, args in jobs]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0


def test_an_empty_index_answers(engine: Engine):
    result = engine.search(Query(text="水泵", facets=("kind",)))
    assert result.hits == () and result.total == 0 and result.facets == {"kind": ()}
    assert engine.count() == 0 and list(engine.versions()) == [] and engine.suggest("水") == []
    assert engine.write([]) == []


def test_preparing_again_keeps_everything(engine: Engine):
    put(engine, make("a", "水泵"))
    engine.prepare()
    assert found(engine, "水泵") == ["a"]


def test_the_higher_version_stays_whichever_comes_last(engine: Engine):
    put(engine, make("a", "阀门", version=5))
    put(engine, make("a", "水泵", version=4))
    assert found(engine, "阀门") == ["a"] and found(engine, "水泵") == []
    put(engine, make("a", "叶轮", version=6))
    assert found(engine, "阀门") == [] and found(engine, "叶轮") == ["a"]
    assert engine.count() == 1 and dict(engine.versions()) == {"a": 6}


def test_the_same_version_again_changes_nothing(engine: Engine):
    put(engine, make("a", "阀门", version=5))
    put(engine, make("a", "阀门", version=5), make("a", "阀门", version=5))
    assert engine.count() == 1 and found(engine, "阀门") == ["a"]


def test_within_one_batch_too(engine: Engine):
    put(engine, make("a", "阀门", version=2), make("a", "叶轮", version=9), make("a", "水泵", version=3))
    assert found(engine, "叶轮") == ["a"] and engine.count() == 1 and dict(engine.versions()) == {"a": 9}


def test_more_than_one_request_or_segment_holds_at_once(engine: Engine):
    many = [make(f"m{number}", "水泵", version=2) for number in range(2_300)]
    again = [make(f"m{number}", "阀门", version=number % 4) for number in range(1, 2_300, 2)]  # 1 is old, 3 is newer
    assert engine.write([*again, *many]) == []
    engine.refresh()
    assert engine.count() == 2_300
    assert dict(engine.versions()) == {f"m{number}": 3 if number % 4 == 3 else 2 for number in range(2_300)}
    assert engine.search(Query("阀门")).total == 2_300 // 4


def test_a_tombstone_is_not_found_and_keeps_older_writes_out(engine: Engine):
    put(engine, make("a", "水泵", version=1, kind="x"), make("b", "水泵", version=1, kind="x"))
    put(engine, gone("a", 3))
    put(engine, make("a", "水泵", version=2))
    result = engine.search(Query(facets=("kind",)))
    assert [hit.id for hit in result.hits] == ["b"] and result.total == 1 and result.facets["kind"][0].count == 1
    assert engine.count() == 1 and dict(engine.versions()) == {"a": 3, "b": 1}
    for sort in ("price_up", "price_down", "closing", "newest"):
        assert found(engine, sort=sort) == ["b"]  # type: ignore[arg-type]
    assert found(engine, "-阀门") == ["b"] and found(engine, like="a") == [] and found(engine, ids=("a",)) == []
    put(engine, make("a", "水泵", version=4))
    assert set(found(engine, "水泵")) == {"a", "b"}


def test_a_tombstone_of_what_never_was(engine: Engine):
    put(engine, gone("a", 3))
    assert engine.count() == 0 and dict(engine.versions()) == {"a": 3}


def test_large_versions_and_strange_ids(engine: Engine):
    ids = ["a/b", "名", "x" * 64, "a b", "_id", '"', "*", "0"]
    put(engine, *(make(one, "水泵", version=2**62 - 1) for one in ids))
    assert set(found(engine, "水泵")) == set(ids)
    assert dict(engine.versions()) == dict.fromkeys(ids, 2**62 - 1)
    assert found(engine, ids=("a/b",)) == ["a/b"]


def _write(spec: Spec, documents: list[Document]) -> None:
    other = open_spec(spec)
    other.prepare()
    put(other, *documents)


def test_what_another_process_wrote_is_found_after_its_refresh(engine: Engine, spec: Spec):
    put(engine, make("a", "水泵"))
    assert found(engine, "水泵") == ["a"]
    run((_write, (spec, [make("b", "水泵"), make("a", "阀门", version=2)])))
    assert found(engine, "水泵") == ["b"] and found(engine, "阀门") == ["a"]


def _writes(spec: Spec, seed: int) -> None:
    """Versions of common documents in a random order, a few at a time."""
    other = open_spec(spec)
    draw = random.Random(seed)
    todo = [
        make(f"d{n}", "水泵" if version % 2 else "阀门", version=version)
        for n in range(10)
        for version in range(seed + 1, 41, 3)
    ]
    draw.shuffle(todo)
    for at in range(0, len(todo), 20):
        assert other.write(todo[at : at + 20]) == []
    other.refresh()


def test_many_processes_write_at_once_and_the_highest_versions_stay(engine: Engine, spec: Spec):
    run(*((_writes, (spec, seed)) for seed in range(3)))
    assert dict(engine.versions()) == {f"d{n}": 40 for n in range(10)}
    assert engine.count() == 10 and found(engine, "水泵") == [] and len(found(engine, "阀门")) == 10


def test_many_threads_write_and_read_at_once(engine: Engine):
    put(engine, *(make(f"d{n}", "水泵") for n in range(20)))
    wrong: list[object] = []
    start = threading.Barrier(4)

    def write(seed: int) -> None:
        draw = random.Random(seed)
        start.wait()
        for _ in range(5):
            versions = [draw.randint(1, 99) for _ in range(20)]
            if engine.write([make(f"d{n}", "水泵", version=version) for n, version in enumerate(versions)]):
                wrong.append("fault")

    def read() -> None:
        start.wait()
        for _ in range(40):
            total = engine.search(Query(text="水泵", facets=("kind",))).total
            if total != 20:
                wrong.append(total)

    threads = [threading.Thread(target=write, args=(seed,)) for seed in (1, 2)]
    threads += [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    engine.refresh()
    assert wrong == [] and engine.count() == 20


def test_a_rebuild_takes_over_in_one_step(engine: Engine):
    put(engine, make("a", "水泵"), make("old", "水泵"), gone("dead", 3))
    rebuild = engine.rebuild()
    assert rebuild.write([make("a", "阀门", version=2), make("new", "阀门")]) == []
    assert set(found(engine, "水泵")) == {"a", "old"} and found(engine, "阀门") == []
    rebuild.finish()
    assert set(found(engine, "阀门")) == {"a", "new"} and found(engine, "水泵") == []
    assert engine.count() == 2 and dict(engine.versions()) == {"a": 2, "new": 1}


def test_live_writes_during_a_rebuild_are_in_both(engine: Engine):
    put(engine, make("a", "水泵"), make("b", "水泵"), make("c", "水泵"))
    rebuild = engine.rebuild()
    put(engine, make("a", "叶轮", version=5), gone("b", 5), make("live", "叶轮"))
    assert set(found(engine, "叶轮")) == {"a", "live"}, "the old one goes on"
    # the rebuild read the database before these writes
    rebuild.write([make("a", "水泵"), make("b", "水泵"), make("c", "水泵")])
    put(engine, make("late", "叶轮"), make("c", "叶轮", version=2))
    rebuild.finish()
    assert set(found(engine, "叶轮")) == {"a", "live", "late", "c"}
    assert found(engine, "水泵") == [] and engine.count() == 4
    assert dict(engine.versions()) == {"a": 5, "b": 5, "c": 2, "live": 1, "late": 1}


def test_an_abandoned_rebuild_leaves_no_trace(engine: Engine):
    put(engine, make("a", "水泵"))
    rebuild = engine.rebuild()
    rebuild.write([make("b", "水泵")])
    rebuild.abandon()
    put(engine, make("c", "水泵"))
    assert set(found(engine, "水泵")) == {"a", "c"}
    again = engine.rebuild()
    again.write([make("d", "水泵")])
    again.finish()
    assert found(engine, "水泵") == ["d"]


def test_only_one_rebuild_at_a_time(engine: Engine, spec: Spec):
    rebuild = engine.rebuild()
    with pytest.raises(EngineDown):
        open_spec(spec).rebuild()
    rebuild.abandon()
    open_spec(spec).rebuild().abandon()


def _rebuild_and_die(spec: Spec) -> None:
    import os

    rebuild = open_spec(spec).rebuild()
    rebuild.write([make("b", "水泵")])
    os._exit(0)


def _live(spec: Spec, worker: int) -> None:
    """Writes going on while another process rebuilds: some new, some newer, some gone."""
    other = open_spec(spec)
    for turn in range(12):
        number = worker * 12 + turn
        batch = [
            make(f"new{number}", "叶轮"),
            make(f"d{number}", "叶轮", version=10),
            gone(f"d{100 + number}", 10),
        ]
        assert other.write(batch) == []
    other.refresh()


def test_a_rebuild_under_live_writes_of_other_processes_loses_and_doubles_nothing(
    engine: Engine,
    spec: Spec,
):
    first = [make(f"d{n}", "水泵") for n in range(150)]
    put(engine, *first)
    processes = [PROCESSES.Process(target=_live, args=(spec, worker)) for worker in range(2)]
    rebuild = engine.rebuild()
    for process in processes:
        process.start()
    for at in range(0, 150, 10):
        assert rebuild.write(first[at : at + 10]) == []
        assert engine.search(Query(text="水泵 叶轮")).total >= 100
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    rebuild.finish()
    engine.refresh()
    wanted = {f"d{n}": 1 for n in range(150)}
    wanted |= (
        {f"d{n}": 10 for n in range(24)} | {f"d{100 + n}": 10 for n in range(24)} | {f"new{n}": 1 for n in range(24)}
    )
    kept = list(engine.versions())
    assert len(kept) == len(dict(kept)) and dict(kept) == wanted
    assert engine.count() == 150 and engine.search(Query(text="叶轮")).total == 48


def test_a_rebuild_that_died_leaves_the_old_one_answering(engine: Engine, spec: Spec):
    if spec[0] == "elastic":
        pytest.skip("what a dead rebuild leaves on a cluster is tested with the elastic engine itself")
    put(engine, make("a", "水泵"))
    run((_rebuild_and_die, (spec,)))
    put(engine, make("c", "水泵"))
    assert set(found(engine, "水泵")) == {"a", "c"}
    again = engine.rebuild()
    again.write([make("d", "水泵")])
    again.finish()
    assert found(engine, "水泵") == ["d"]
