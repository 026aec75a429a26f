"""Words and meaning in one answer: what is found, what is counted, and how it is paged through."""

import os
from collections import Counter

import pytest

try:
    import numpy  # noqa: F401
except ImportError:
    if os.environ.get("ZHILIU_NO_SKIPS"):
        raise
    pytest.skip("the extra zhiliu[dense] is not installed", allow_module_level=True)

from search.dense import build, open_vectors
from search.document import Document
from search.engine import CursorRefused
from search.engines import fused
from search.query import Query
from tests.unit.search.fake_encoder import ThemeEncoder
from tests.unit.search.tiny_engine import TinyEngine


def offers(count=60):
    """Every third Chinese about batteries, every third English about them, every third about vaccines."""
    titles = ("电池 {}", "battery {}", "vaccine {}")
    return [
        Document(
            id=f"d{n:03}",
            version=1,
            texts={"title": titles[n % 3].format(n)},
            keywords={"kind": ("patent" if n % 2 else "software",), "number": (f"ZL{n:04}",)},
            numbers={"price_minor": 1_000 - n},
        )
        for n in range(count)
    ]


@pytest.fixture
def engine():
    return TinyEngine(offers())


@pytest.fixture
def both(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(fused, "NEAREST", 40)
    encoder = ThemeEncoder()
    vectors = open_vectors(tmp_path, encoder)
    build(vectors, encoder, engine.documents.values())
    return fused.Fused(engine, vectors, encoder)


def every(engine, query):
    """All pages, and the first result."""
    first = result = engine.search(query)
    hits = [hit.id for hit in result.hits]
    while result.cursor:
        result = engine.search(Query(**{**vars(query), "cursor": result.cursor}))
        hits += [hit.id for hit in result.hits]
    return hits, first


def test_the_other_language_is_found(engine, both):
    words, _ = every(engine, Query("battery"))
    hits, result = every(both, Query("battery"))
    assert len(words) == 20
    assert result.total == len(hits) == 40
    titles = {engine.documents[one].texts["title"].split()[0] for one in hits}
    assert titles == {"电池", "battery"}
    # what both ways find comes before what one of them finds
    assert set(hits[:20]) == set(words)


def test_total_and_counts_are_those_of_the_pages(engine, both):
    hits, result = every(both, Query("battery", facets=("kind",), size=7))
    kinds = Counter(engine.documents[one].keywords["kind"][0] for one in hits)
    assert result.total == len(hits)
    assert {bucket.value: bucket.count for bucket in result.facets["kind"]} == kinds


def test_filters_hold_for_what_is_near_and_the_facet_ignores_its_own(engine, both):
    plain = both.search(Query("battery", facets=("kind",)))
    hits, result = every(both, Query("battery", filters={"kind": ("patent",)}, facets=("kind",), size=7))
    assert hits
    assert {engine.documents[one].keywords["kind"] for one in hits} == {("patent",)}
    assert result.facets == plain.facets
    assert result.total == len(hits) == {b.value: b.count for b in plain.facets["kind"]}["patent"]


@pytest.mark.parametrize("size", [1, 7, 20, 100])
def test_each_is_shown_once(both, size):
    hits, result = every(both, Query("battery vaccine", size=size))
    assert len(hits) == len(set(hits)) == result.total
    assert hits == every(both, Query("battery vaccine", size=100))[0]


def test_beyond_the_head_the_words_go_on(engine, both, monkeypatch):
    monkeypatch.setattr(fused, "HEAD", 8)
    monkeypatch.setattr(fused, "NEAREST", 3)
    more = [("often", "vaccine vaccine vaccine")] * 9 + [("near", "battery vaccine")] * 3
    for n, (name, title) in enumerate(more):  # the near ones come beyond the head by words
        engine.documents[f"{name}{n}"] = Document(id=f"{name}{n}", version=1, texts={"title": title})
    build(both.vectors, both.encoder, engine.documents.values())
    hits, result = every(both, Query("battery vaccine", size=3))
    assert len(hits) == len(set(hits)) == result.total == 52
    assert {one[:4] for one in hits[:6]} == {"near", "ofte"}


def test_an_order_that_moves_between_two_pages_shows_none_twice_and_loses_none(engine, both):
    first = both.search(Query("battery", size=10))
    for n in range(100, 110):  # new offers come before all that was shown
        title = "battery battery battery"
        engine.documents[f"a{n}"] = Document(id=f"a{n}", version=1, texts={"title": title}, numbers={"price_minor": n})
    hits = [hit.id for hit in first.hits]
    result = first
    while result.cursor:
        result = both.search(Query("battery", size=10, cursor=result.cursor))
        hits += [hit.id for hit in result.hits]
    assert len(hits) == len(set(hits)) == result.total == 50


def test_other_sorts_order_the_same_set(engine, both):
    by_price, result = every(both, Query("battery", sort="price_up", size=7))
    assert set(by_price) == set(every(both, Query("battery"))[0])
    prices = [engine.documents[one].numbers["price_minor"] for one in by_price]
    assert prices == sorted(prices)
    assert result.total == len(by_price)


@pytest.mark.parametrize(
    "query",
    [
        Query(""),
        Query("  "),
        Query('"battery"'),
        Query("“battery”"),
        Query("battery -pack"),
        Query("title:battery"),
        Query("申请人：battery"),
        Query("battery", match="all"),
        Query("battery", ids=("d001",)),
        Query("battery", like="d001"),
    ],
    ids=repr,
)
def test_who_says_exactly_what_is_meant_gets_the_words_alone(engine, both, query):
    assert both.search(query) == engine.search(query)
    assert engine.asked == [query, query]


def test_a_number_is_answered_by_the_number_alone(both):
    result = both.search(Query("ZL0004"))
    assert [hit.id for hit in result.hits] == ["d004"]
    assert result.exact
    assert result.total == 1


def test_a_word_with_a_hyphen_is_no_minus_word(both):
    assert both.search(Query("battery lithium-ion")).total == 40


def test_words_answer_when_the_extra_fails(engine, both, monkeypatch, caplog):
    monkeypatch.setattr(both.encoder, "query", lambda _text: 1 / 0)
    assert both.search(Query("battery")) == engine.search(Query("battery"))
    assert "search by meaning failed" in caplog.text


def test_no_vectors_yet_is_the_engine_alone(engine, tmp_path):
    encoder = ThemeEncoder()
    empty = fused.Fused(engine, open_vectors(tmp_path / "none", encoder), encoder)
    assert empty.search(Query("battery")) == engine.search(Query("battery"))


@pytest.mark.parametrize("cursor", ["f.", "f.000000000000h.abcd", "f.x", "f.000000000000r.tiny5", "%", "f.\ud800"])
def test_a_foreign_cursor_is_refused(both, cursor):
    with pytest.raises(CursorRefused):
        both.search(Query("battery", cursor=cursor))


def test_a_cursor_is_of_its_question_only(both):
    cursor = both.search(Query("battery", size=5)).cursor
    with pytest.raises(CursorRefused):
        both.search(Query("vaccine", size=5, cursor=cursor))
    assert both.search(Query("battery", size=20, cursor=cursor)).hits
