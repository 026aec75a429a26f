"""Any engine with search by meaning beside it: what it finds by words and what is near, made one order.

What is found is fixed before any filter: the documents that share a word with the question, and the ``NEAREST`` whose
vectors are nearest to it (among all documents). Filters, facets, totals and the sorts by price, closing or date hold
for exactly that set, counted by the engine itself. Only the order by relevance is new: reciprocal rank fusion of the
best ``HEAD`` by words with the near ones, then the others by words.

Questions that say exactly what they want are left to the engine as they are: numbers, quoted phrases, minus words,
field prefixes, alerts (``match="all"``, ``ids``), more like this, and no text at all.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from search.dense import Encoder
from search.document import Document
from search.engine import CursorRefused, Engine, Rebuild
from search.fusion import reciprocal_rank_fusion
from search.language import parse
from search.query import LARGEST_PAGE, LONGEST_TEXT, Query
from search.result import Fault, Hit, Result
from search.vectors import Vectors

NEAREST = 100  # one page of the engine, so that one question tells which of them pass the filters
HEAD = LARGEST_PAGE
log = logging.getLogger(__name__)


class Fused:
    """The contract of search/engine.py around another engine."""

    def __init__(self, engine: Engine, vectors: Vectors, encoder: Encoder) -> None:
        self.engine, self.vectors, self.encoder = engine, vectors, encoder
        self.name = f"{engine.name}+{encoder.name}"

    def search(self, query: Query) -> Result:
        near = self._near(query)
        if not near:
            return self.engine.search(query)
        if query.sort != "relevance":
            return self.engine.search(replace(query, also=near))
        if query.cursor and not query.cursor.startswith(_OURS):
            return self.engine.search(query)  # the next page of an exact number
        return self._fused(query, near)

    def _near(self, query: Query) -> tuple[str, ...]:
        """The nearest documents, when the question is one for which meaning helps."""
        text = query.text.strip()[:LONGEST_TEXT]
        if query.match != "any" or query.ids is not None or query.like or not _in_plain_words(query):
            return ()
        try:
            found = self.vectors.nearest(self.encoder.query(text), NEAREST)
        except Exception:  # search by words goes on whatever is wrong with the extra
            log.exception("search by meaning failed")
            return ()
        return tuple(one for one, _ in found)

    def _fused(self, query: Query, near: tuple[str, ...]) -> Result:
        place = _Place.read(query)
        words = self.engine.search(replace(query, size=HEAD, cursor="", facets=()))
        if words.exact:
            return self.engine.search(replace(query, cursor=""))
        wide = replace(query, text=words.corrected or query.text, also=near, size=1, cursor="")
        found = self.engine.search(wide)  # the set itself: total and facets
        passing = self.engine.search(replace(wide, text="", also=(), ids=near, size=NEAREST, facets=()))
        allowed = {hit.id for hit in passing.hits}
        fused = reciprocal_rank_fusion([hit.id for hit in words.hits], [one for one in near if one in allowed])
        size = max(1, min(query.size, LARGEST_PAGE))
        left = [] if place.rest else [Hit(one, score) for one, score in fused if mark(one) not in place.shown]
        page, cursor = left[:size], place.after(left[:size])
        if len(left) <= size:
            rest, beyond = self._rest(query, {one for one, _ in fused}, place.rest or words.cursor, size - len(page))
            page, cursor = page + rest, place.beyond(beyond)
        return replace(found, hits=tuple(page), cursor=cursor, corrected=words.corrected, cut=words.cut)

    def _rest(self, query: Query, head: set[str], cursor: str, wanted: int) -> tuple[list[Hit], str]:
        """Hits by words beyond the fused ones, and the engine's cursor for those after."""
        found: list[Hit] = []
        while cursor and len(found) < wanted:
            result = self.engine.search(replace(query, size=wanted - len(found), cursor=cursor, facets=()))
            found += [hit for hit in result.hits if hit.id not in head]
            cursor = result.cursor
        return found, cursor

    # everything else is the engine's own

    def prepare(self) -> None:
        self.engine.prepare()

    def write(self, documents: Sequence[Document]) -> list[Fault]:
        return self.engine.write(documents)

    def refresh(self) -> None:
        self.engine.refresh()

    def suggest(self, start: str, size: int = 8) -> list[str]:
        return self.engine.suggest(start, size)

    def count(self) -> int:
        return self.engine.count()

    def versions(self) -> Iterator[tuple[str, int]]:
        return self.engine.versions()

    def rebuild(self) -> Rebuild:
        return self.engine.rebuild()


def _in_plain_words(query: Query) -> bool:
    """Nothing in the text says exactly what is meant."""
    asked = parse(query.text, query.synonyms, query.names)
    exact = asked.must or asked.must_not or asked.filters or asked.without or asked.numbers
    return bool(asked.should) and not exact


_OURS = "f."


def mark(one: str) -> str:
    """Four characters that stand for an id shown before: two of the some 200 of a head are alike once in 800 times."""
    return base64.urlsafe_b64encode(hashlib.blake2b(one.encode(), digest_size=3).digest()).decode()


@dataclass(frozen=True)
class _Place:
    """How far a reader has come: what of the head was shown, or the engine's cursor beyond it. So nothing is shown
    twice and nothing is left out when the order moves between two pages."""

    question: str
    marks: str = ""
    rest: str = ""

    @property
    def shown(self) -> set[str]:
        return {self.marks[at : at + 4] for at in range(0, len(self.marks), 4)}

    @classmethod
    def read(cls, query: Query) -> _Place:
        asked = repr((query.text, sorted(query.filters.items()), sorted(query.ranges.items()), query.synonyms))
        question = hashlib.blake2b(asked.encode("utf-8", "replace"), digest_size=6).hexdigest()
        if not query.cursor:
            return cls(question)
        kind, _, value = query.cursor.removeprefix(_OURS).partition(".")
        if not kind.startswith(question) or kind[len(question) :] not in ("h", "r") or not value:
            raise CursorRefused("not a cursor of this search")
        return cls(question, marks=value) if kind.endswith("h") else cls(question, rest=value)

    def after(self, page: Sequence[Hit]) -> str:
        return f"{_OURS}{self.question}h.{self.marks}{''.join(mark(hit.id) for hit in page)}"

    def beyond(self, rest: str) -> str:
        return f"{_OURS}{self.question}r.{rest}" if rest else ""
