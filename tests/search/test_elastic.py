"""What only a cluster can suffer: an outage, a rebuild whose process died, an index removed under a writer."""

from __future__ import annotations

import time

import pytest

from search import cursor
from search.engine import EngineDown
from search.engines.elastic import Elastic, ElasticRebuild
from search.engines.elastic_search import Place
from search.query import Query
from tests.search.elastic import Node
from tests.search.kit import everything, found, make, put

LONGEST_WAIT = 3.5  # two tries of a second each, on a busy machine


def down(engine: Elastic) -> str:
    """That every kind of reading says so, in time; returns what is said."""
    said = ""
    for ask in (lambda: engine.search(Query("水泵", facets=("kind",))), lambda: engine.suggest("水")):
        start = time.monotonic()
        with pytest.raises(EngineDown) as refused:
            ask()
        assert time.monotonic() - start < LONGEST_WAIT
        said += str(refused.value)
    return said


@pytest.mark.timeout(1200)
def test_an_outage_is_told_in_time_and_nothing_written_is_lost(own_node: Node):
    engine = Elastic(own_node.url.replace("http://", "http://reader:s3cret-word@"), "outage")
    engine.prepare()
    put(engine, make("a", "水泵"))
    own_node.freeze()
    said = down(engine)
    own_node.thaw()
    assert found(engine, "水泵") == ["a"]
    own_node.kill()
    said += down(engine)
    with pytest.raises(EngineDown) as refused:
        engine.write([make("b", "水泵")])
    said += str(refused.value)
    assert "s3cret-word" not in said and "reader" not in said
    own_node.start()
    assert engine.write([make("b", "水泵"), make("a", "水泵阀门", version=2)]) == []
    engine.refresh()
    assert set(found(engine, "水泵")) == {"a", "b"} and dict(engine.versions()) == {"a": 2, "b": 1}


@pytest.fixture
def engine(elasticsearch: object, elasticsearch_url: str, index_prefix: str) -> Elastic:
    made = Elastic(elasticsearch_url, index_prefix + "e")
    made.prepare()
    return made


@pytest.mark.timeout(1200)
def test_a_dead_rebuild_is_taken_over_and_what_it_left_is_removed(engine: Elastic, monkeypatch: pytest.MonkeyPatch):
    put(engine, make("a", "水泵"))
    dead = engine.rebuild()
    dead.write([make("b", "水泵")])
    with pytest.raises(EngineDown):
        engine.rebuild()
    put(engine, make("c", "水泵"))
    assert set(found(engine, "水泵")) == {"a", "c"}, "the old one goes on"
    monkeypatch.setattr(ElasticRebuild, "STALE", 0.0)
    again = engine.rebuild()
    assert sorted(engine._kept()) == sorted([f"{engine.alias}-first", again.index])
    with pytest.raises(EngineDown):
        dead.write([make("d", "水泵")])
    again.write([make("e", "水泵")])
    again.finish()
    assert found(engine, "水泵") == ["e"] and engine._kept() == [again.index]


@pytest.mark.timeout(1200)
def test_an_index_that_is_gone_says_so_and_is_not_made_by_a_write(engine: Elastic):
    put(engine, make("a", "水泵"))
    engine.slow.indices.delete(index=f"{engine.alias}-first")
    for ask in (engine.count, lambda: engine.search(Query("水泵")), lambda: engine.write([make("b", "水泵")])):
        with pytest.raises(EngineDown):
            ask()
    engine.prepare()
    put(engine, make("b", "水泵"))
    assert found(engine, "水泵") == ["b"]


@pytest.mark.timeout(1200)
def test_what_does_not_fit_is_one_permanent_fault(engine: Elastic):
    huge = make("huge", "水泵", applicant="a")
    object.__setattr__(huge, "numbers", {"price_minor": 2**70})
    faults = engine.write([make("a", "水泵"), huge, make("b", "水泵")])
    engine.refresh()
    assert [(fault.id, fault.permanent) for fault in faults] == [("huge", True)]
    assert set(found(engine, "水泵")) == {"a", "b"}


@pytest.mark.timeout(1200)
def test_a_walk_goes_on_when_its_view_was_let_go(engine: Elastic):
    put(engine, *(make(f"d{n:02}", "水泵" * (n % 3 + 1)) for n in range(30)))
    first = engine.search(Query("水泵", size=5))
    second = engine.search(Query("水泵", size=5, cursor=first.cursor))
    view = Place.read(cursor.decode(Query("水泵", size=5, cursor=second.cursor))).view
    assert view
    engine.slow.close_point_in_time(id=view)
    rest = everything(engine, Query("水泵", size=5, cursor=second.cursor))
    met = [hit.id for hit in (*first.hits, *second.hits)] + rest
    assert sorted(met) == [f"d{n:02}" for n in range(30)]
