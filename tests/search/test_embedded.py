"""What only the embedded engine has: files, locks and processes that die."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from search.engine import EngineDown
from search.engines import generations
from search.engines.embedded import Embedded
from search.query import Query
from tests.search.kit import found, make, put

PROCESSES = multiprocessing.get_context("spawn")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "index"


@pytest.fixture
def engine(folder: Path) -> Embedded:
    made = Embedded(folder)
    made.prepare()
    return made


def generations_of(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()]


def test_no_index_yet_is_said(folder: Path):
    engine = Embedded(folder)
    for ask in (
        lambda: engine.search(Query()),
        engine.count,
        lambda: engine.write([make("a")]),
        lambda: engine.suggest("a"),
    ):
        with pytest.raises(EngineDown, match="no index"):
            ask()
    engine.prepare()
    assert engine.count() == 0


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(EngineDown):
        Embedded(tmp_path / "file").search(Query())


@pytest.mark.parametrize("damage", ["meta", "cut meta", "segments", "pointer", "directory"])
def test_a_damaged_index_is_said_and_made_anew(folder: Path, engine: Embedded, damage: str):
    put(engine, make("a", "水泵"))
    (generation,) = generations_of(folder)
    if damage == "meta":
        (generation / "meta.json").write_text("{")
    elif damage == "cut meta":
        (generation / "meta.json").write_text((generation / "meta.json").read_text()[:100])
    elif damage == "segments":
        for path in generation.glob("*.idx"):
            path.unlink()
    elif damage == "pointer":
        (folder / "current").write_text("../../etc")
    else:
        generation.rename(folder / "elsewhere")
    fresh = Embedded(folder)
    with pytest.raises(EngineDown, match="index"):
        fresh.search(Query(text="水泵"))
    fresh.prepare()
    assert fresh.count() == 0
    put(fresh, make("b", "水泵"))
    assert found(Embedded(folder), "水泵") == ["b"]
    assert len(generations_of(folder)) == 1


def test_an_index_of_another_layout_is_not_read(folder: Path, engine: Embedded, monkeypatch: pytest.MonkeyPatch):
    put(engine, make("a", "水泵"))
    monkeypatch.setattr("search.engines.embedded_schema.LAYOUT", "v0")
    other = Embedded(folder)
    with pytest.raises(EngineDown, match="no index"):
        other.search(Query())
    other.prepare()
    assert other.count() == 0


def _hold(folder: Path, ready: str) -> None:
    with generations.Generations(folder, "v1").writing():
        Path(ready).touch()
        time.sleep(60)


def test_a_writer_waits_for_another_with_a_bound_and_takes_over_when_it_dies(
    folder: Path, engine: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ready = tmp_path / "ready"
    holder = PROCESSES.Process(target=_hold, args=(folder, str(ready)))
    holder.start()
    while not ready.exists():
        assert holder.is_alive()
        time.sleep(0.02)
    monkeypatch.setattr(generations, "WAIT_SECONDS", 0.2)
    with pytest.raises(EngineDown, match="another process"):
        engine.write([make("a", "水泵")])
    assert engine.search(Query()).total == 0, "reading needs no lock"
    assert holder.pid
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    put(engine, make("a", "水泵"))
    assert found(engine, "水泵") == ["a"]


def _write_until_killed(folder: Path, ready: str) -> None:
    engine = Embedded(folder)
    version = 1
    while True:
        version += 1
        engine.write([make(f"d{n}", "阀门", version=version) for n in range(200)])
        Path(ready).touch()


def test_a_writer_killed_at_any_moment_leaves_whole_batches(folder: Path, engine: Embedded, tmp_path: Path):
    put(engine, *(make(f"d{n}", "水泵") for n in range(200)))
    for turn in range(3):
        ready = tmp_path / f"ready{turn}"
        writer = PROCESSES.Process(target=_write_until_killed, args=(folder, str(ready)))
        writer.start()
        while not ready.exists():
            assert writer.is_alive()
            time.sleep(0.02)
        time.sleep(0.037 * turn)  # another moment each turn
        assert writer.pid
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        kept = dict(engine.versions())
        assert len(kept) == 200 and len(set(kept.values())) == 1
        assert engine.count() == 200
        put(engine, make("after", "叶轮", version=turn + 1))
        assert found(engine, "叶轮") == ["after"]
        engine.rebuild().finish()
        put(engine, *(make(f"d{n}", "水泵") for n in range(200)))


def test_readers_go_on_over_rebuilds_and_old_generations_are_removed(folder: Path, engine: Embedded):
    reader = Embedded(folder)
    put(engine, make("a", "水泵"))
    assert found(reader, "水泵") == ["a"]
    for turn in range(3):
        rebuild = engine.rebuild()
        rebuild.write([make(f"b{turn}", "水泵")])
        assert len(generations_of(folder)) == 2
        rebuild.finish()
        assert found(reader, "水泵") == [f"b{turn}"]
        assert len(generations_of(folder)) == 1


def test_a_rebuild_over_is_over(engine: Embedded):
    rebuild = engine.rebuild()
    rebuild.finish()
    rebuild.abandon()  # says nothing: what a caller does after an error
    with pytest.raises(EngineDown, match="over"):
        rebuild.write([make("a")])
    with pytest.raises(EngineDown, match="over"):
        rebuild.finish()
    assert engine.count() == 0


def test_a_document_the_index_cannot_keep_is_one_fault_and_the_others_are_written(engine: Embedded):
    bad = make("bad", "水泵", kind="\ud800")
    faults = engine.write([make("a", "水泵"), bad, make("b", "水泵")])
    assert [(fault.id, fault.permanent) for fault in faults] == [("bad", True)]
    assert set(found(engine, "水泵")) == {"a", "b"}


def test_a_walk_over_several_processes_meets_everything_once_although_every_score_moves(folder: Path, engine: Embedded):
    """No process holds the view in which the walk began: the place is found again by the document shown last."""
    put(engine, *(make(f"d{n:03}", "水泵", abstract="阀门 " * n, version=1) for n in range(150)))
    query = Query(text="水泵", size=10)
    met: list[str] = []
    turn = 0
    while turn == 0 or query.cursor:
        result = Embedded(folder).search(query)
        met += [hit.id for hit in result.hits]
        new = [make(f"x{turn}-{n}", "叶轮") for n in range(40)]  # makes every 水泵 rarer, every text longer
        put(engine, *new, make(f"y{turn}", "水泵"))  # one that belongs before the place
        query = replace(query, cursor=result.cursor)
        turn += 1
    assert len(met) == len(set(met))
    assert sorted(one for one in met if one.startswith("d")) == [f"d{n:03}" for n in range(150)]


def test_a_held_view_ends(engine: Embedded, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("search.engines.embedded_index._WALKS", 2)
    put(engine, *(make(f"d{n}", "水泵") for n in range(30)))
    for turn in range(5):
        put(engine, make(f"x{turn}", "水泵"))
        assert engine.search(Query(text="水泵", size=5)).cursor
    assert len(engine._current()._walked) == 2


def test_counts_are_remembered_only_until_a_write(engine: Embedded):
    put(engine, make("a", "水泵", kind="x"))
    query = Query(text="水泵", facets=("kind",))
    first = engine.search(query)
    assert engine.search(replace(query, sort="newest")).facets == first.facets
    put(engine, make("b", "水泵", kind="y"))
    assert engine.search(query).total == 2 and len(engine.search(query).facets["kind"]) == 2
