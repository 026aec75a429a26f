"""How stored questions are put to the index: every word must stand there, and only an engine in step answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from marketplace.discovery.engines import searching
from marketplace.interest import stored as page
from search import analysis
from search.document import KEYWORDS, NUMBERS, Document
from search.engine import CursorRefused, EngineDown
from search.language import Parsed, parse
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


@dataclass(frozen=True)
class Known:
    """A document as the look beforehand needs it, with the tokens of all its texts."""

    document: Document
    tokens: frozenset[str]


def known(document: Document) -> Known:
    return Known(document, frozenset(t for text in document.texts.values() for t in analysis.stream(text).split()))


@lru_cache(maxsize=20_000)
def understood(text: str, synonyms: tuple[tuple[str, ...], ...]) -> Parsed:
    """A question's words as every engine reads them; the same text is read once."""
    return parse(text, synonyms)


def may_match(query: Query, of: Known) -> bool:
    """Whether a question could find a document: its filters let it through and the tokens of its words are there. What
    is refused here no engine finds; whether they stand together, and whether a minus word does, only an engine says."""
    document = of.document
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
    return not query.text or _words_may(query, of)


def _words_may(query: Query, of: Known) -> bool:
    asked = understood(query.text, query.synonyms)
    if not all(any(of.tokens.issuperset(one.tokens) for one in group) for group in asked.must):
        return False
    if asked.numbers and set(asked.numbers) & set(of.document.keywords.get("number", ())):
        return True
    if query.match == "all" and asked.every:
        return all(any(of.tokens.issuperset(one.tokens) for one in group) for group in asked.every)
    if asked.should:
        return any(of.tokens.issuperset(one.tokens) for one in asked.should)
    return not asked.numbers


def matches(
    questions: Mapping[str, Query],
    documents: Iterable[Document],
    told: Mapping[str, frozenset[str]] | None = None,
) -> Iterator[tuple[str, set[str]]]:
    """For each question, by its key, the documents it finds among these; keys without any are left out. ``told``: for a
    question, the documents that are known to it, which are not asked of again."""
    fresh = [known(document) for document in documents]
    for key, query in questions.items():
        kept = (told or {}).get(key, frozenset())
        ids = [one.document.id for one in fresh if one.document.id not in kept and may_match(query, one)]
        if ids and (found := among(query, ids) if query.text else set(ids)):
            yield key, found
