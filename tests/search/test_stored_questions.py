"""Standing interest on both engines: stored questions asked of the documents just written find the same, and find
what a reader who asks for every word would find; what filters refuse no engine is asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from marketplace.discovery.engines import Breaker, Searching
from marketplace.interest import asking
from search.document import Document, gone
from search.engine import Engine
from search.query import Query
from tests.search.kit import make, put

DOCUMENTS = (
    make("1", "一种锂离子电池隔膜及其制备方法", abstract="动力电池用，耐高温。", ipc=("H", "H01", "H01M"),
         region=("420000",), status="running", price_minor=5_000_000_00, kind="invention_patent"),
    make("2", "一种桥梁振动的监测方法", abstract="用于桥梁。", ipc=("G", "G01", "G01M"), region=("310000",),
         status="scheduled", price_minor=1_000_000_00, kind="invention_patent"),
    make("3", "电池壳体", title_en="A battery housing", ipc=("H", "H01", "H01M"), region=("420000",), status="sold",
         price_minor=3_000_000_00, kind="design_patent"),
    make("4", "石墨烯导热膜", title_en="Graphene heat spreading film", status="running", price_minor=2_000_000_00,
         kind="utility_model"),
)  # fmt: skip
QUESTIONS = {
    "": {"1", "2", "3", "4"},
    "q=隔膜": {"1"},
    "q=锂电池 桥梁": set(),
    "q=电池": {"1", "3"},
    "q=batteries": {"3"},
    "q=battery film": set(),
    "q=graphene": {"4"},
    "q=grahpene": set(),  # a typing error is mended for readers, not for alerts
    "q=電池": {"1", "3"},
    "q=电池 -隔膜": {"3"},
    'q="导热膜"': {"4"},
    "q=电池&state=running": {"1"},
    "ipc=H01M": {"1", "3"},
    "ipc=H01": {"1", "3"},
    "region=420000&kind=design_patent": {"3"},
    "low=200万&high=300万": set(),  # CNY is asked, and these name no currency
    "q=%22": {"1", "2", "3", "4"},
    "q=***": {"1", "2", "3", "4"},
}


@pytest.fixture
def filled(engine: Engine) -> Engine:
    engine.prepare()
    put(engine, *DOCUMENTS, gone("9", 1))
    return engine


@pytest.fixture(autouse=True)
def answering(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine of the test answers."""
    searching = Searching(request.getfixturevalue("engine"), breaker=Breaker(pause=0))
    monkeypatch.setattr(asking, "searching", lambda: searching)


@pytest.mark.parametrize("query", QUESTIONS)
def test_a_stored_question_finds_the_same_on_each_engine(filled: Engine, query: str) -> None:
    question = asking.stored(query)
    ids = [document.id for document in DOCUMENTS]
    found = dict(asking.matches({"x": question}, DOCUMENTS)).get("x", set())
    assert found == QUESTIONS[query]
    assert asking.among(question, ids) == found  # the filters looked at beforehand take nothing away and add nothing
    everything, more = asking.everything(question)
    assert set(everything) == found and not more  # nor does asking of the new ones alone


def test_only_the_documents_asked_of_answer(filled: Engine) -> None:
    question = asking.stored("q=电池")
    assert asking.among(question, ["3", "4", "9", "77"]) == {"3"}
    assert asking.among(question, []) == set()
    many = [str(n) for n in range(1000, 1350)]
    assert asking.among(question, [*many, "1"]) == {"1"}


def test_a_price_that_falls_into_the_range_is_found_then(filled: Engine) -> None:
    question = Query(ranges={"price_minor": (None, 4_000_000_00)}, text="隔膜", match="all")
    first = DOCUMENTS[0]
    assert dict(asking.matches({"x": question}, [first])) == {}
    cheaper = replace(first, version=2, numbers={**first.numbers, "price_minor": 3_900_000_00})
    put(filled, cheaper)
    assert dict(asking.matches({"x": question}, [cheaper])) == {"x": {"1"}}


def test_a_tombstone_is_never_found(filled: Engine) -> None:
    dead = gone("1", 5)
    put(filled, dead)
    assert dict(asking.matches({"x": asking.stored("")}, [dead])) == {}
    assert asking.among(asking.stored("q=隔膜"), ["1"]) == set()


def test_what_the_filters_refuse_no_engine_finds(filled: Engine) -> None:
    """The look beforehand agrees with the engines, filter by filter."""
    queries = [
        Query(filters={name: (value,)})
        for document in DOCUMENTS
        for name, values in document.keywords.items()
        for value in (*values, "nothing")
    ]
    queries += [
        Query(ranges={"price_minor": r}) for r in ((None, 2_000_000_00), (2_000_000_00, None), (1, 2), (None, None))
    ]
    queries += [Query(ranges={"closes_at": (0, None)}), Query(filters={"unknown": ("x",)}), Query(filters={"kind": ()})]

    def beforehand(query: Query, documents: tuple[Document, ...]) -> set[str]:
        return {document.id for document in documents if asking.may_match(query, asking.known(document))}

    for query in queries:
        assert beforehand(query, DOCUMENTS) == asking.among(query, [d.id for d in DOCUMENTS]), query
