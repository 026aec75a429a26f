"""One question answered by one generation of the embedded index."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import tantivy
from tantivy import DocAddress, Occur, Order

from search import analysis, cursor, ranking, spelling
from search.engine import CursorRefused
from search.engines.embedded_index import Generation
from search.engines.embedded_query import Part
from search.engines.embedded_schema import FACETS, texts_of
from search.language import Parsed, parse
from search.query import DEEPEST, LARGEST_PAGE, MOST_BUCKETS, SORTS, Query
from search.result import Bucket, Hit, Result

_NEAR = 32  # served hits that a cursor remembers
_SHORT = 30  # of the 62 bits of a tie, those that a cursor leaves out there
_SLACK = 64
_CANDIDATES = 3_000  # words looked at for one typing error

Row = tuple[float, int, DocAddress]  # score or sort value, tie, address


class Search:
    """Everything is read from one searcher, so hits, total and facets are of one moment."""

    def __init__(self, generation: Generation, query: Query) -> None:
        self.query = query
        self.compiler = generation.compiler
        self.searcher = generation.searcher()
        self.size = max(1, min(query.size, LARGEST_PAGE))
        self.sort = query.sort if query.sort in SORTS else "relevance"

    def result(self) -> Result:
        after = cursor.decode(self.query) if self.query.cursor else None
        parsed, corrected = self._mended(self._parse(self.query.text))
        like = self._like()
        if self.query.like and not like:
            return Result(hits=(), total=0, cut=parsed.cut)
        self.asked = self.compiler.question(parsed, self.query, like)
        whole = self.compiler.both([*self.asked, *self.compiler.filters(self.query)])
        ranked = self.sort == "relevance" and (parsed.ranked or bool(like))
        served = self._served(after)
        left = max(0, min(self.size, DEEPEST - served))
        found = self._by_score(whole, after, left) if ranked else self._by_value(whole, after, left)
        hits = [Hit(name, value if ranked else 0.0) for name, value, _ in found[:left]]
        more = len(found) > left and served + left < DEEPEST
        total: int = self.searcher.search(whole, 1).count  # type: ignore[attr-defined]
        return Result(
            hits=tuple(hits),
            total=total,
            facets=self._facets(whole),
            cursor=self._cursor(after, found[:left], served) if more and hits else "",
            corrected=corrected,
            exact=self._exact(parsed, whole, found, ranked),
            cut=parsed.cut,
        )

    # words

    def _parse(self, text: str) -> Parsed:
        return parse(text, self.query.synonyms, self.query.names, every=self.query.match == "all")

    def _mended(self, parsed: Parsed) -> tuple[Parsed, str]:
        """The question with typing errors mended in words that no document has, and how it reads then."""
        text = self.query.text
        for word in parsed.words:
            if spelling.mendable(word) and not self._known(word):
                meant = self._meant(word)
                if meant:
                    text = re.sub(rf"(?<![^\W_]){word}(?![^\W_])", meant, text, flags=re.IGNORECASE)
        if text == self.query.text:
            return parsed, ""
        return self._parse(text), text

    def _known(self, word: str) -> bool:
        return bool(self.searcher.doc_freq("spell", word) or self.searcher.doc_freq("all", analysis.stream(word)))

    def _meant(self, word: str) -> str | None:
        """Two right letters at the beginning are looked for first, then one."""
        for length in (2, 1):
            known = self.searcher.terms_with_prefix("spell", word[:length], limit=_CANDIDATES)
            meant = spelling.closest(word, known)
            if meant:
                return meant
        return None

    def _like(self) -> list[str]:
        """The tokens that stand for the document that more are to be like; the rare ones tell most."""
        if not self.query.like:
            return []
        hits = self.searcher.search(self.compiler.ids([self.query.like[:64]]), 1, count=False).hits
        kept = self.searcher.doc(hits[0][1])["kept"] if hits else []
        return list(ranking.likeness(analysis.streams(texts_of(bytes(kept[0]))))) if kept else []

    # order

    def _by_score(self, whole: tantivy.Query, after: Any, size: int) -> list[tuple[str, float, int]]:
        """The page after the last hit served, found again by its id where scores moved with what was written."""
        served = self._served(after)
        candidates = self._scored(whole, served + size + 1)
        if after is None:
            rest = candidates
        else:
            score, tie, near = self._place(after, 3)
            seen = {int(number) for number in near}
            at = next((i for i, (_, t, _) in enumerate(candidates) if t == tie), None)
            if at is None:
                at = sum(1 for s, t, _ in candidates if (-s, t) <= (-score, tie)) - 1
            # an unserved hit just before the place was lifted over it by a write
            start = max(0, at - _NEAR // 2) if len(seen) >= _NEAR else 0
            lifted = [one for one in candidates[start : at + 1] if one[1] >> _SHORT not in seen]
            rest = lifted + [one for one in candidates[at + 1 :] if one[1] >> _SHORT not in seen]
        return self._named([(score, tie, address) for score, tie, address in rest[: size + 1]])

    def _scored(self, whole: tantivy.Query, need: int) -> list[Row]:
        """The best, equal scores in the order of their ties: read on until the last score needed is complete."""
        limit = need + _SLACK
        while True:
            hits = self.searcher.search(whole, limit, count=False, weight_by_field="weight").hits
            if len(hits) < limit or hits[-1][0] < hits[need - 1][0] or limit >= 4 * DEEPEST:
                break
            limit *= 4
        return self._tied(hits)

    def _by_value(self, whole: tantivy.Query, after: Any, size: int) -> list[tuple[str, float, int]]:
        """Sorted by a number; what has none comes last; equal values in the order of their ties."""
        field, downwards = ranking.ORDERS[self.sort]
        need = size + 1
        out: list[Row] = []
        value: int | None = None
        tie = -1
        valued = True
        if after is not None:
            value, tie, _ = self._place(after, 3)
            valued = value is not None
            if value is not None:
                out += self._group(whole, self.compiler.between(field, int(value), int(value)), value, int(tie), need)
        if valued and len(out) < need:
            out += self._run(whole, field, downwards, value, need - len(out))
        if len(out) < need:
            missing = tantivy.Query.boolean_query(
                [(Occur.Must, whole), (Occur.MustNot, tantivy.Query.exists_query(field))]
            )
            out += self._group(missing, None, None, -1 if valued else int(tie), need - len(out))
        return self._named(out)

    def _run(self, whole: tantivy.Query, field: str, downwards: bool, value: int | None, need: int) -> list[Row]:
        """The next by value beyond ``value``."""
        if value is None:
            beyond = tantivy.Query.exists_query(field)
        else:
            low, high = (None, int(value) - 1) if downwards else (int(value) + 1, None)
            beyond = self.compiler.between(field, low, high)
        query = tantivy.Query.boolean_query([(Occur.Must, whole), (Occur.Must, beyond)])
        order = Order.Desc if downwards else Order.Asc
        hits = self.searcher.search(query, need + 1, count=False, order_by_field=field, order=order).hits
        if len(hits) <= need:
            return self._tied(hits, downwards)
        last = hits[-1][0]
        kept = self._tied([hit for hit in hits if hit[0] != last], downwards)
        group = self.compiler.between(field, int(last), int(last))
        return kept + self._group(whole, group, last, -1, need - len(kept))

    def _group(
        self, whole: tantivy.Query, group: tantivy.Query | None, value: float | None, tie: int, need: int
    ) -> list[Row]:
        """Those of one value, after ``tie``."""
        if need <= 0:
            return []
        parts: list[Part] = [(Occur.Must, whole), (Occur.Must, self.compiler.between("tie", tie + 1, None))]
        if group is not None:
            parts.append((Occur.Must, group))
        hits = self.searcher.search(
            tantivy.Query.boolean_query(parts), need, count=False, order_by_field="tie", order=Order.Asc
        ).hits
        return [(value, int(found), address) for found, address in hits]  # type: ignore[misc]

    def _tied(self, hits: Sequence[tuple[Any, DocAddress]], downwards: bool = True) -> list[Row]:
        ties = self.searcher.fast_field_values("tie", [address for _, address in hits])
        rows = [(value, int(tie or 0), address) for (value, address), tie in zip(hits, ties, strict=True)]
        return sorted(rows, key=lambda row: (-row[0] if downwards else row[0], row[1]))

    def _named(self, rows: Sequence[Row]) -> list[tuple[str, float, int]]:
        return [(self.searcher.doc(address)["id"][0], value, tie) for value, tie, address in rows]

    # cursor: [served, value, tie, ties of the last hits served]

    @staticmethod
    def _served(after: Any) -> int:
        if after is None:
            return 0
        try:
            served = int(after[0])
        except (TypeError, ValueError, LookupError):
            raise CursorRefused("this cursor belongs to another search") from None
        if not 0 < served <= DEEPEST:
            raise CursorRefused("this cursor leads too far")
        return served

    @staticmethod
    def _place(after: Any, length: int) -> tuple[Any, int, list[int]]:
        try:
            value, tie, near = after[1 : 1 + length]
            return value, int(tie), [int(number) for number in near]
        except (TypeError, ValueError):
            raise CursorRefused("this cursor belongs to another search") from None

    def _cursor(self, after: Any, page: Sequence[tuple[str, float, int]], served: int) -> str:
        _, value, tie = page[-1]
        before = self._place(after, 3)[2] if after is not None else []
        near = [*before, *(one >> _SHORT for _, _, one in page)][-_NEAR:]
        return cursor.encode(self.query, [served + len(page), value, tie, near])

    # counts

    def _facets(self, whole: tantivy.Query) -> dict[str, tuple[Bucket, ...]]:
        """Counted with every filter but the facet's own."""
        names = [name for name in dict.fromkeys(self.query.facets) if name in FACETS]
        own = [name for name in names if self.query.filters.get(name)]
        shared = [name for name in names if name not in own]
        found = self._count(whole, shared)
        for name in own:
            parts = [*self.asked, *self.compiler.filters(self.query, without=name)]
            found |= self._count(self.compiler.both(parts), [name])
        return {name: found[name] for name in names}

    def _count(self, query: tantivy.Query, names: Sequence[str]) -> dict[str, tuple[Bucket, ...]]:
        if not names:
            return {}
        terms = {name: {"terms": {"field": name, "size": MOST_BUCKETS}} for name in names}
        counted = self.searcher.aggregate(query, terms)
        return {
            name: tuple(
                Bucket(str(bucket["key"]), int(bucket["doc_count"]))
                for bucket in sorted(counted[name]["buckets"], key=lambda bucket: (-bucket["doc_count"], bucket["key"]))
            )
            for name in names
        }

    def _exact(
        self, parsed: Parsed, whole: tantivy.Query, found: Sequence[tuple[str, float, int]], ranked: bool
    ) -> bool:
        """Whether the first hits of all bear the number asked for."""
        if parsed.filters.get("number"):
            return bool(found)
        return ranked and bool(parsed.numbers) and bool(found) and found[0][1] >= ranking.EXACT
