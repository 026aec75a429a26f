"""How stored questions are put to the index: every word must stand there, and only an engine in step answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from marketplace.discovery.engines import searching
from marketplace.interest import stored as page
from search.document import KEYWORDS, NUMBERS, Document
from search.engine import CursorRefused, EngineDown
from search.query import DEEPEST, LARGEST_PAGE, Query
from search.result import Result

AT_ONCE = LARGEST_PAGE  # documents asked of in one question: its answer is one page


def stored(query: str, synonyms: tuple[tuple[str, ...], ...] = ()) -> Query:
    """The question of a saved search: the filters of the page, and every word instead of any."""
    asked = page.question(query, synonyms)
    return replace(asked, match="all", sort="newest", facets=(), cursor="", size=LARGEST_PAGE)


def ask(query: Query) -> Result:
    """``EngineDown`` also where only a stand-in answers, which may lag behind: an alert waits instead."""
    result, narrower = searching().search(query)
    if narrower:
        raise EngineDown("only the stand-in answers")
    return result


def among(query: Query, ids: Sequence[str]) -> set[str]:
    """Which of these documents the question finds."""
    found: set[str] = set()
    for start in range(0, len(ids), AT_ONCE):
        part = tuple(ids[start : start + AT_ONCE])
        result = ask(replace(query, ids=part, size=len(part), cursor=""))
        # a word that was taken for a typing error stands in no document: nothing has every word that was asked
        if query.match == "any" or not result.corrected:
            found.update(hit.id for hit in result.hits)
    return found


def everything(query: Query) -> tuple[list[str], bool]:
    """All that a question finds, as far as can be paged; and whether there is more."""
    found: dict[str, None] = {}
    cursor, total = "", 0
    while len(found) < DEEPEST:
        try:
            result = ask(replace(query, cursor=cursor, size=LARGEST_PAGE))
        except CursorRefused:  # the index was rebuilt in between
            break
        if query.match == "all" and result.corrected:
            break
        total = max(total, result.total)
        found |= dict.fromkeys(hit.id for hit in result.hits)
        cursor = result.cursor
        if not cursor or not result.hits:
            break
    return list(found), total > len(found)


def may_match(query: Query, document: Document) -> bool:
    """Whether the filters of a question let a document through. What they refuse no engine finds, so that an engine
    is asked only of the rest; its words only an engine knows."""
    if document.gone:
        return False
    for name, wanted in query.filters.items():
        if name in KEYWORDS and wanted and not set(wanted) & set(document.keywords.get(name, ())):
            return False
    for name, (low, high) in query.ranges.items():
        if name not in NUMBERS or (low is None and high is None):
            continue
        value = document.numbers.get(name)
        if value is None or (low is not None and value < low) or (high is not None and value > high):
            return False
    return True


def matches(questions: Mapping[str, Query], documents: Iterable[Document]) -> Iterator[tuple[str, set[str]]]:
    """For each question, by its key, the documents it finds among these. Keys without any are left out."""
    known = list(documents)
    for key, query in questions.items():
        ids = [document.id for document in known if may_match(query, document)]
        if ids and (found := among(query, ids) if query.text else set(ids)):
            yield key, found
