"""A question in the terms of the embedded engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import tantivy
from tantivy import Occur

from search.document import KEYWORDS, NUMBER_LIMIT, NUMBERS
from search.engines.shape import MOST_VALUES, safe
from search.language import Clause, Parsed
from search.query import Query
from search.ranking import EXACT

_LIVE = ("live", "1")
_FEW = 16  # values that are cheaper as terms of their own than as a set of terms, which is read whole beforehand

Part = tuple[Occur, tantivy.Query]


class Compiler:
    """Makes queries of one schema. Whatever only selects is wrapped so that it adds nothing to the score."""

    def __init__(self, schema: tantivy.Schema) -> None:
        self.schema = schema

    def question(self, parsed: Parsed, query: Query, like: Sequence[str]) -> list[Part]:
        """The text side: what must, may and must not be in a document, filters apart."""
        parts: list[Part] = []
        found = self._found(parsed, query)
        if query.ids is not None or query.also or not (found is not None or like or parsed.must or parsed.filters):
            parts.append((Occur.Must, self._silent(self._term(*_LIVE))))  # tombstones have no text, but an id
        if found is not None:
            parts.append((Occur.Must, found))
        if like:
            parts.append((Occur.Must, self._any(self._term("all", token) for token in like)))
            parts.append((Occur.MustNot, self._set("id", (query.like,))))
        for group in parsed.must:
            parts.append((Occur.Must, self._silent(self._any(self._clause(clause) for clause in group))))
        for clause in parsed.must_not:
            parts.append((Occur.MustNot, self._clause(clause)))
        for name, values in parsed.filters.items():
            parts.append((Occur.Must, self._silent(self._set(name, values))))
        for name, values in parsed.without.items():
            parts.append((Occur.MustNot, self._set(name, values)))
        if query.ids is not None:
            parts.append((Occur.Must, self._silent(self._set("id", query.ids))))
        return parts

    def _found(self, parsed: Parsed, query: Query) -> tantivy.Query | None:
        """Any word, number, or near meaning; with ``all``, every word."""
        should = [self._weighted(clause) for clause in parsed.should]
        lift = [self._weighted(clause) for clause in parsed.lift]
        ways: list[tantivy.Query] = []
        if query.match == "all" and parsed.every:
            groups = [self._any(self._clause(clause) for clause in group) for group in parsed.every]
            ways.append(self._lifted([self._silent(group) for group in groups], [*should, *lift]))
        elif should:
            ways.append(self._lifted([self._any(should)], lift))
        if parsed.numbers:
            ways.append(tantivy.Query.const_score_query(self._set("number", parsed.numbers), EXACT))
        if query.also and ways:
            ways.append(self._silent(self._set("id", query.also)))
        return self._any(ways) if ways else None

    @staticmethod
    def _lifted(must: Sequence[tantivy.Query], should: Sequence[tantivy.Query]) -> tantivy.Query:
        """What is in all of the first, ranked by the others too."""
        if len(must) == 1 and not should:
            return must[0]
        return tantivy.Query.boolean_query(
            [*((Occur.Must, one) for one in must), *((Occur.Should, one) for one in should)]
        )

    def filters(self, query: Query, without: str = "") -> list[Part]:
        """The filters and ranges, but the one on this field."""
        parts: list[Part] = []
        for name, values in query.filters.items():
            if name in KEYWORDS and name != without and values:
                parts.append((Occur.Must, self._silent(self._set(name, values))))
        for name, (low, high) in query.ranges.items():
            if name in NUMBERS and name != without and (low is not None or high is not None):
                parts.append((Occur.Must, self._silent(self.between(name, low, high))))
        return parts

    def both(self, parts: Iterable[Part]) -> tantivy.Query:
        return tantivy.Query.boolean_query(list(parts))

    def between(self, name: str, low: int | None, high: int | None) -> tantivy.Query:
        """Both ends included; whoever asks beyond what can be kept gets the ends of that."""
        low = max(-NUMBER_LIMIT - 1, min(low, NUMBER_LIMIT + 1)) if low is not None else None
        high = max(-NUMBER_LIMIT - 1, min(high, NUMBER_LIMIT + 1)) if high is not None else None
        if low is not None and high is not None and low > high:
            return tantivy.Query.empty_query()
        return tantivy.Query.range_query(self.schema, name, tantivy.FieldType.Integer, low, high)

    def ids(self, ids: Sequence[str]) -> tantivy.Query:
        return self._set("id", ids)

    def live(self) -> tantivy.Query:
        return self._term(*_LIVE)

    def start(self, value: str) -> tantivy.Query:
        return self._term("start", value)

    def phrase(self, field: str, tokens: Sequence[str]) -> tantivy.Query:
        return self._clause(Clause(tuple(tokens), field=field))

    def _weighted(self, clause: Clause) -> tantivy.Query:
        made = self._clause(clause)
        return made if clause.weight == 1.0 else tantivy.Query.boost_query(made, clause.weight)

    def _clause(self, clause: Clause) -> tantivy.Query:
        if len(clause.tokens) == 1:
            return self._term(clause.field, clause.tokens[0])
        return tantivy.Query.phrase_query(self.schema, clause.field, list(clause.tokens))

    def _term(self, field: str, value: str) -> tantivy.Query:
        return tantivy.Query.term_query(self.schema, field, value)

    def _set(self, field: str, values: Sequence[str]) -> tantivy.Query:
        kept = [safe(value) for value in (values if field == "id" else values[:MOST_VALUES])]
        if not kept:
            return tantivy.Query.empty_query()
        if len(kept) <= _FEW:
            return self._any(self._term(field, value) for value in kept)
        return tantivy.Query.term_set_query(self.schema, field, kept)

    @staticmethod
    def _any(queries: Iterable[tantivy.Query]) -> tantivy.Query:
        made = list(queries)
        return made[0] if len(made) == 1 else tantivy.Query.boolean_query([(Occur.Should, one) for one in made])

    @staticmethod
    def _silent(query: tantivy.Query) -> tantivy.Query:
        return tantivy.Query.const_score_query(query, 0.0)
