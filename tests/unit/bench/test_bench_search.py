"""The measuring itself: what it would say of an engine that loses documents, and where it writes its tables."""

import threading

import pytest

from bench import marked
from bench.corpus import newer
from bench.relevance import Run, Topic, report, verdict
from bench.search import rebuild_under_writes
from search.document import Document


class KeptVersions:
    """The versions of two generations, as an engine keeps them; ``forgets`` breaks it in one way."""

    name = "kept"

    def __init__(self, forgets=""):
        self.forgets, self.old, self.new = forgets, {}, None
        self.guard = threading.Lock()

    def _put(self, generation, documents):
        for one in documents:
            held = generation.get(one.id)
            if held is None or held.version < one.version or self.forgets == "versions":
                generation[one.id] = one

    def write(self, documents):
        with self.guard:
            self._put(self.old, documents)
            if self.new is not None and self.forgets != "live writes":
                self._put(self.new, documents)
        return []

    def refresh(self):
        pass

    def rebuild(self):
        self.new = {}
        return Filling(self)

    def versions(self):
        found = [(one.id, one.version) for one in self.old.values()]
        return iter(found * 2 if self.forgets == "ids" else found)

    def count(self):
        return sum(not one.gone for one in self.old.values())


class Filling:
    def __init__(self, engine):
        self.engine = engine

    def write(self, documents):
        with self.engine.guard:
            self.engine._put(self.engine.new, documents)
        return []

    def finish(self):
        with self.engine.guard:
            self.engine.old, self.engine.new = self.engine.new, None


def offers(count=6_000):
    return [Document(id=f"d{n}", version=1, texts={"title": str(n)}) for n in range(count)]


def rebuilt(engine):
    engine.write(offers())
    return rebuild_under_writes(engine, offers())


def test_an_engine_that_keeps_everything_passes():
    said = rebuilt(KeptVersions())
    assert "0 lost or old, 0 twice, 0 unknown" in said
    assert "beside 0 writes" not in said


@pytest.mark.parametrize("fault", ["live writes", "versions", "ids"])
def test_an_engine_that_loses_or_doubles_is_found_out(fault):
    with pytest.raises(RuntimeError, match="lost or old"):
        rebuilt(KeptVersions(fault))


def test_a_later_version_is_the_same_offer_at_another_price():
    import random

    old = Document(id="a", version=1, texts={"title": "x"}, numbers={"price_minor": 5, "urgency": 1})
    new = newer(old, 9, random.Random(1))
    assert (new.id, new.version, new.texts, new.numbers["urgency"]) == ("a", 9, old.texts, 1)
    assert new.numbers["price_minor"] != 5


def runs(embedded, elastic, task="zh"):
    topics = [Topic(f"t{n}", "text", {}) for n in range(40)]
    return [
        Run(name, task, topics, [score] * 40, [0.5] * 40, [1.0] * 40, [3.0] * 40)
        for name, score in (("embedded", embedded), ("elastic", elastic))
    ]


def test_below_the_floor_is_a_failure(capsys):
    assert verdict(runs(0.24, 0.23)) == 0
    assert verdict(runs(0.24, 0.22)) == 1
    assert "elastic zh: 0.220 is below 0.23" in capsys.readouterr().out
    assert verdict(runs(0.1, 0.1, "en→zh")) == 0  # no floor without vectors


def test_the_table_tells_engines_apart_topic_by_topic():
    text = report(runs(0.24, 0.25))
    assert "| zh | embedded | 40 | 0.240 (0.240 to 0.240) | 0.240 | 0.240 | 0.500 | 1.000 | 3.0 ms | 3.0 ms |" in text
    assert "| zh | elastic less embedded | +0.010 (+0.010 to +0.010) |" in text


def test_a_topic_is_always_in_the_same_half():
    halves = [Topic(f"cn-G06F{n}", "", {}).held_out for n in range(1_000)]
    assert halves == [Topic(f"cn-G06F{n}", "", {}).held_out for n in range(1_000)]
    assert 400 < sum(halves) < 600


def test_a_table_takes_the_place_of_the_last(tmp_path):
    document = tmp_path / "search.md"
    document.write_text(
        "before\n<!-- speed -->\nold\n<!-- /speed -->\nafter\n<!-- relevance -->\nkept\n<!-- /relevance -->\n"
    )
    marked.write("speed", "| new |", document)
    text = document.read_text()
    assert text.startswith("before\n<!-- speed -->\nMeasured on ")
    assert "old" not in text and "kept" in text
    assert text.count("| new |") == 1
    with pytest.raises(ValueError, match="no place marked"):
        marked.write("other", "x", document)
