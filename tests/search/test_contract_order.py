"""Filters, counts, orders and pages, compared with the plain definition of them, in both engines."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from search.document import Document, gone
from search.engine import CursorRefused, Engine
from search.query import DEEPEST, LARGEST_PAGE, MOST_BUCKETS, SORTS, Query
from tests.search.kit import counts, everything, found, make, put, walk

FIELDS = {"price_up": "price_minor", "price_down": "price_minor", "closing": "closes_at", "newest": "published_at"}


def some(count: int, seed: int = 7) -> list[Document]:
    """Documents with many equal and some missing values."""
    draw = random.Random(seed)
    made = []
    for n in range(count):
        numbers = {
            name: draw.randint(0, most)
            for name, most in (
                ("price_minor", 9),
                ("closes_at", 5),
                ("published_at", 50),
                ("urgency", 3),
                ("health", 2),
            )
            if draw.random() < 0.8
        }
        province = draw.choice(["42", "31", "44"])
        made.append(
            make(
                f"d{n:03}",
                draw.choice(["水泵", "水泵 阀门", "阀门", "阀门 pump", "水泵 水泵 pump"]),
                kind=draw.choice(["a", "b", "c"]),
                channel=draw.choice(["auction", "storage"]),
                region=(f"{province}0000", f"{province}0{draw.randint(1, 3)}00"),
                licence=tuple(draw.sample(["sole", "plain", "open"], draw.randint(0, 2))),
                **numbers,
            )
        )
    return made


def holds(document: Document, query: Query, but: str = "") -> bool:
    """The definition: any value within a field, all fields, both ends of a range."""
    for name, values in query.filters.items():
        if name != but and not set(values) & set(document.keywords.get(name, ())):
            return False
    for name, (low, high) in query.ranges.items():
        number = document.numbers.get(name)
        if number is None or (low is not None and number < low) or (high is not None and number > high):
            return False
    return True


QUERIES = [
    Query(),
    Query(filters={"kind": ("a",)}),
    Query(filters={"kind": ("a", "b"), "channel": ("auction",)}),
    Query(filters={"region": ("420000",), "licence": ("sole", "open")}),
    Query(ranges={"price_minor": (2, 6)}),
    Query(ranges={"price_minor": (None, 3), "closes_at": (1, None)}, filters={"kind": ("c",)}),
    Query(filters={"kind": ("none such",)}),
    Query(ranges={"price_minor": (6, 2)}),
    Query(ranges={"price_minor": (-(2**70), 2**70)}),
]


def test_filters_ranges_totals_and_counts_are_what_they_say(engine: Engine):
    documents = some(120)
    put(engine, *documents)
    facets = ("kind", "channel", "region", "licence")
    for query in QUERIES:
        result = engine.search(replace(query, facets=facets, size=LARGEST_PAGE))
        wanted = [document for document in documents if holds(document, query)]
        assert result.total == len(wanted)
        assert {hit.id for hit in result.hits} <= {document.id for document in wanted}
        for name in facets:
            expected: dict[str, int] = {}
            for document in documents:
                if holds(document, query, but=name):
                    for value in document.keywords.get(name, ()):
                        expected[value] = expected.get(value, 0) + 1
            buckets = result.facets[name]
            assert {bucket.value: bucket.count for bucket in buckets} == expected
            assert list(buckets) == sorted(buckets, key=lambda bucket: (-bucket.count, bucket.value))


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_is_total_and_does_not_depend_on_the_page_size(engine: Engine, sort: str):
    documents = some(90)
    put(engine, *documents)
    for text in ("", "水泵 pump"):
        query = Query(text=text, sort=sort)
        whole = everything(engine, replace(query, size=100))
        assert len(whole) == len(set(whole)) == engine.search(query).total
        for size in (1, 7, 30):
            assert everything(engine, replace(query, size=size)) == whole
        if sort in FIELDS:
            numbers = {document.id: document.numbers.get(FIELDS[sort]) for document in documents}
            values = [numbers[one] for one in whole if numbers[one] is not None]
            assert values == sorted(values, reverse=sort in ("price_down", "newest"))
            missing = [numbers[one] is None for one in whole]
            assert missing == sorted(missing), "what has no value comes last"


@pytest.mark.parametrize("sort", SORTS)
def test_a_walk_under_writes_meets_everything_once(engine: Engine, sort: str):
    """What is not touched is met exactly once, whatever is written, changed and removed around it."""
    documents = some(80)
    put(engine, *documents)
    for text in ("", "水泵 pump"):
        there = set(everything(engine, Query(text=text, size=100)))
        touched = {document.id for document in documents[::9]}
        met: list[str] = []
        for turn, page in enumerate(walk(engine, Query(text=text, sort=sort, size=6))):
            met += page
            new = [
                replace(document, id=f"new{text}{sort}{turn}-{n}")
                for n, document in enumerate(some(5, seed=turn + len(text)))
            ]
            changed = documents[(turn * 9) % 81 // 9 * 9]
            version = 10 + turn + 100 * len(text)
            change = gone(changed.id, version) if turn % 2 else replace(changed, version=version)
            put(engine, *new, change)
        untouched = [one for one in met if one in there - touched]
        assert sorted(untouched) == sorted(there - touched)
        put(engine, *(replace(document, version=10_000 + len(text)) for document in documents))


def test_a_cursor_belongs_to_its_question(engine: Engine):
    put(engine, *some(30))
    query = Query(text="水泵", size=5)
    cursor = engine.search(query).cursor
    assert cursor
    for other in (
        replace(query, text="阀门"),
        replace(query, sort="newest"),
        replace(query, filters={"kind": ("a",)}),
        replace(query, ranges={"price_minor": (1, 2)}),
        replace(query, match="all"),
    ):
        with pytest.raises(CursorRefused):
            engine.search(replace(other, cursor=cursor))
    assert engine.search(replace(query, cursor=cursor, size=9, facets=("kind",))).hits


@pytest.mark.parametrize(
    "cursor", ["x", "====", "AAAA", "锂", "W10", "e30", "a" * 3_000, "'; DROP TABLE", "\x00", "bnVsbA"]
)
def test_a_strange_cursor_is_refused(engine: Engine, cursor: str):
    put(engine, make("a", "水泵"))
    for sort in SORTS:
        with pytest.raises(CursorRefused):
            engine.search(Query(text="水泵", sort=sort, cursor=cursor))


def test_pages_end_at_the_deepest(engine: Engine):
    put(engine, *(make(f"d{n}", "水泵", price_minor=n % 3) for n in range(DEEPEST + 50)))
    for sort in ("relevance", "price_up"):
        for text in ("", "水泵"):
            pages = list(walk(engine, Query(text=text, sort=sort, size=100)))
            met = [one for page in pages for one in page]
            assert len(met) == len(set(met)) == DEEPEST and all(pages)
            assert engine.search(Query(text=text)).total == DEEPEST + 50


def test_a_page_has_its_bounds(engine: Engine):
    put(engine, *(make(f"d{n:03}", "水泵") for n in range(LARGEST_PAGE + 10)))
    assert len(found(engine, "水泵", size=10**9)) == LARGEST_PAGE
    for size in (0, -5):
        assert len(found(engine, "水泵", size=size)) <= 1


def test_huge_facets_are_cut_to_the_most_frequent(engine: Engine):
    put(
        engine,
        *(make(f"d{n}", "水泵", ipc=("G", *(f"G{n:02}{m:03}" for m in range(60)))) for n in range(30)),
    )
    counted = counts(engine, "ipc")
    assert counted["G"] == 30 and len(counted) == MOST_BUCKETS


def test_only_the_values_wanted_of_a_tree_are_counted(engine: Engine):
    put(
        engine,
        make("a", "水泵", ipc=("H", "H01", "H01M", "H01M10/00", "H01M10/0525"), region=("420000", "420100")),
        make("b", "水泵", ipc=("H", "H01", "H01L"), region=("420000", "420500")),
        make("c", "水泵", ipc=("G", "G06"), region=("110000", "110105")),
    )
    opened = {"ipc": ("H01", "H01M10/00", "nonsense", ".*"), "region": ("420000",)}
    result = engine.search(Query("水泵", facets=("ipc", "region"), opened=opened, filters={"ipc": ("H01",)}))
    found_of = {name: {bucket.value: bucket.count for bucket in buckets} for name, buckets in result.facets.items()}
    assert found_of == {
        "ipc": {"H": 2, "G": 1, "H01": 2, "H01M": 1, "H01L": 1, "H01M10/00": 1, "H01M10/0525": 1},
        "region": {"420000": 2, "420100": 1, "420500": 1},
    }


def test_unknown_names_are_ignored(engine: Engine):
    put(engine, make("a", "水泵", kind="x"))
    result = engine.search(
        Query(
            filters={"no such": ("x",), "id": ("zzz",), "all": ("q",), "kind": ()},
            ranges={"no such": (1, 2), "kind": (1, 2), "price_minor": (None, None)},
            facets=("no such", "number", "kind", "kind", "all"),
            sort="no such",  # type: ignore[arg-type]
        )
    )
    assert [hit.id for hit in result.hits] == ["a"]
    assert set(result.facets) == {"kind"}


BAD = [
    "",
    " ",
    "*",
    "***",
    "?*?",
    "*:*",
    "a*",
    "*a",
    "~",
    "水泵~2",
    '"',
    '"水泵',
    '“水泵" 阀',
    "((((",
    "))",
    "[* TO *]",
    "{",
    "a AND OR NOT",
    "+-&&||!(){}[]^~:\\/",
    "\\",
    "\x00\x01\x1f水泵\x7f",
    "\ud800 水泵",
    "\u202e\ufeff",
    "/.*.*.*/",
    "_exists_:x",
    "title:",
    "ipc:",
    "number:",
    "号:*",
    "-",
    "--水泵",
    "'; DROP TABLE listing; --",
    "<script>alert(1)</script>",
    "{{7*7}} ${7*7}",
    '{"match_all": {}}',
    "../../etc/passwd",
    "%00%0a",
    "水泵" * 5_000,
    "a" * 10_000,
    "a b " * 2_500,
    '"' * 10_000,
    "-x " * 3_000,
    "title:x " * 1_000,
    "12345678 " * 1_000,
    "".join(chr(0x4E00 + n) for n in range(10_000)),
    "\U0001f600" * 300,
    "ß ŉ İ ﬃ ㍿ ①",
]


def test_nothing_that_is_typed_is_an_error(engine: Engine):
    put(engine, make("a", "水泵"), make("b", "阀门"))
    for text in BAD:
        for sort in ("relevance", "newest"):
            for match in ("any", "all"):
                result = engine.search(Query(text=text, sort=sort, match=match, facets=("kind",)))  # type: ignore[arg-type]
                assert result.cut == (len(text) > 500)
    assert found(engine, "\x00水泵\x1f") == ["a"]
    assert set(found(engine, "***")) == {"a", "b"}


def test_no_filter_value_is_an_error(engine: Engine):
    put(engine, make("a", "水泵", kind="x"))
    for value in ("", "*", "x" * 40_000, "\x00", "\ud800", '"', "[1 TO 2]"):
        assert found(engine, filters={"kind": (value,)}) == []
        assert found(engine, like=value or "none", filters={"kind": (value, "x")}) == []
        assert found(engine, ids=(value,)) == []
        assert found(engine, synonyms=((value, "水泵"),), filters={"kind": tuple(f"{n}" for n in range(5_000))}) == []
    assert found(engine, filters={"kind": ("*", "x")}) == ["a"]
