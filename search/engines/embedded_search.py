"""One question answered by one generation of the embedded index."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import tantivy
from tantivy import DocAddress, Occur, Order

from search import analysis, cursor, ranking, spelling
from search.branches import TREES, below
from search.engine import CursorRefused
from search.engines.beside import side_by_side
from search.engines.embedded_index import Generation
from search.engines.embedded_query import Part
from search.engines.embedded_schema import BESIDE, column, texts_of
from search.engines.shape import FACETS
from search.language import Parsed, parse
from search.query import DEEPEST, LARGEST_PAGE, MOST_BUCKETS, SORTS, Query
from search.result import Bucket, Hit, Result

_NEAR = 32  # served hits that a cursor remembers
_SHORT = 30  # of the 62 bits of a tie, those that a cursor leaves out there
_SLACK = 64
_MOST_SETS = 50_000  # combinations of values counted
_LONGEST_KEY = 4_000  # of a question whose counts are remembered
_CANDIDATES = 3_000  # words looked at for one typing error

Row = tuple[float, int, DocAddress]  # score or sort value, tie, address
Named = tuple[str, float, int]  # id, score or sort value, tie


@dataclass(frozen=True)
class Place:
    """Where a page ended: after how many hits, at which score or value and tie. By relevance also the (shortened) ties
    of the hits just shown and the stamp of the view in which the walk began."""

    served: int
    value: float | None
    tie: int
    near: tuple[int, ...] = ()
    stamp: tuple[int, int] | None = None

    def written(self) -> list[Any]:
        return [self.served, self.value, self.tie, list(self.near), list(self.stamp) if self.stamp else None]

    @classmethod
    def read(cls, written: Any) -> Place:
        try:
            served, value, tie, near, stamp = written
            place = cls(
                int(served),
                value if value is None else value + 0,
                int(tie),
                tuple(int(number) for number in near),
                (int(stamp[0]), int(stamp[1])) if stamp else None,
            )
        except (TypeError, ValueError, LookupError):
            raise CursorRefused("this cursor belongs to another search") from None
        if not 0 < place.served <= DEEPEST or not (place.value is None or abs(place.value) < 2**63):
            raise CursorRefused("this cursor leads too far")
        return place


class Search:
    """Everything is read from one searcher, so hits, total and facets are of one moment."""

    def __init__(self, generation: Generation, query: Query) -> None:
        self.query = query
        self.compiler = generation.compiler
        self.generation = generation
        self.view = generation.view()
        self.total: int | None = None
        self.size = max(1, min(query.size, LARGEST_PAGE))
        self.sort = query.sort if query.sort in SORTS else "relevance"

    def result(self) -> Result:
        self.after = Place.read(cursor.decode(self.query)) if self.query.cursor else None
        if self.after is not None and self.after.stamp:
            self.view = self.generation.walked(self.after.stamp) or self.view
        parsed, corrected = self._mended(self._parse(self.query.text))
        like = self._like()
        if self.query.like and not like:
            return Result(hits=(), total=0, cut=parsed.cut)
        ranked = self.sort == "relevance" and (parsed.ranked or bool(like))
        # what only lifts is left out where nothing is ranked
        self.found = self.compiler.question(replace(parsed, lift=()), self.query, like)
        asked = self.compiler.question(parsed, self.query, like) if ranked else self.found
        whole = self.compiler.both([*asked, *self.compiler.filters(self.query)])
        served = self.after.served if self.after else 0
        left = max(0, min(self.size, DEEPEST - served))
        order = self._by_score if ranked else self._by_value
        found, total, facets = self._with_counts(lambda: order(whole, left))
        hits = [Hit(name, value if ranked else 0.0) for name, value, _ in found[:left]]
        more = len(found) > left and served + left < DEEPEST
        return Result(
            hits=tuple(hits),
            total=total,
            facets=facets,
            cursor=self._go_on(found[:left], ranked) if more and hits else "",
            corrected=corrected,
            exact=self._exact(parsed, found, ranked),
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
        return bool(
            self.view.searcher.doc_freq("spell", word) or self.view.searcher.doc_freq("all", analysis.stream(word))
        )

    def _meant(self, word: str) -> str | None:
        """Two right letters at the beginning are looked for first, then one."""
        for length in (2, 1):
            known = self.view.searcher.terms_with_prefix("spell", word[:length], limit=_CANDIDATES)
            meant = spelling.closest(word, known)
            if meant:
                return meant
        return None

    def _like(self) -> list[str]:
        """The tokens that stand for the document that more are to be like; the rare ones tell most."""
        if not self.query.like:
            return []
        hits = self.view.searcher.search(self.compiler.ids([self.query.like[:64]]), 1, count=False).hits
        kept = self.view.searcher.doc(hits[0][1])["kept"] if hits else []
        return list(ranking.likeness(analysis.streams(texts_of(bytes(kept[0]))))) if kept else []

    # order

    def _by_score(self, whole: tantivy.Query, size: int) -> list[Named]:
        """The page after the last hit served, found again by its id where scores moved with what was written."""
        after = self.after
        candidates = self._scored(whole, (after.served if after else 0) + size + 1)
        if after is None:
            return self._named(candidates[: size + 1])
        seen = set(after.near)
        at = next((i for i, (_, tie, _) in enumerate(candidates) if tie == after.tie), None)
        if at is None:
            at = sum(1 for score, tie, _ in candidates if (-score, tie) <= (-(after.value or 0.0), after.tie)) - 1
        # an unserved hit just before the place was lifted over it by a write
        start = max(0, at - _NEAR // 2) if len(seen) >= _NEAR else 0
        lifted = [one for one in candidates[start : at + 1] if one[1] >> _SHORT not in seen]
        rest = [one for one in candidates[at + 1 :] if one[1] >> _SHORT not in seen]
        return self._named([*lifted, *rest][: size + 1])

    def _scored(self, whole: tantivy.Query, need: int) -> list[Row]:
        """The best, equal scores in the order of their ties: read on until the last score needed is complete."""
        limit = need + _SLACK
        while True:
            found = self.view.searcher.search(whole, limit, count=True, weight_by_field="weight")
            hits, self.total = found.hits, found.count  # type: ignore[attr-defined]
            if len(hits) < limit or hits[-1][0] < hits[need - 1][0] or limit >= 4 * DEEPEST:
                break
            limit *= 4
        return self._tied(hits)

    def _by_value(self, whole: tantivy.Query, size: int) -> list[Named]:
        """Sorted by a number; what has none comes last; equal values in the order of their ties."""
        field, downwards = ranking.ORDERS[self.sort]
        need = size + 1
        out: list[Row] = []
        value: float | None = None
        tie, valued = -1, True
        if self.after is not None:
            value, tie = self.after.value, self.after.tie
            valued = value is not None
            if value is not None:
                out += self._group(whole, self.compiler.between(field, int(value), int(value)), value, tie, need)
        if valued and len(out) < need:
            out += self._run(whole, field, downwards, value, need - len(out))
        if len(out) < need:
            missing = tantivy.Query.boolean_query(
                [(Occur.Must, whole), (Occur.MustNot, tantivy.Query.exists_query(field))]
            )
            out += self._group(missing, None, None, -1 if valued else tie, need - len(out))
        return self._named(out)

    def _run(self, whole: tantivy.Query, field: str, downwards: bool, value: float | None, need: int) -> list[Row]:
        """The next by value beyond ``value``."""
        if value is None:
            beyond = tantivy.Query.exists_query(field)
        else:
            low, high = (None, int(value) - 1) if downwards else (int(value) + 1, None)
            beyond = self.compiler.between(field, low, high)
        query = tantivy.Query.boolean_query([(Occur.Must, whole), (Occur.Must, beyond)])
        order = Order.Desc if downwards else Order.Asc
        hits = self.view.searcher.search(query, need + 1, count=False, order_by_field=field, order=order).hits
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
        hits = self.view.searcher.search(
            tantivy.Query.boolean_query(parts), need, count=False, order_by_field="tie", order=Order.Asc
        ).hits
        return [(value, int(found), address) for found, address in hits]  # type: ignore[misc]

    def _tied(self, hits: Sequence[tuple[Any, DocAddress]], downwards: bool = True) -> list[Row]:
        ties = self.view.searcher.fast_field_values("tie", [address for _, address in hits])
        rows = [(value, int(tie or 0), address) for (value, address), tie in zip(hits, ties, strict=True)]
        return sorted(rows, key=lambda row: (-row[0] if downwards else row[0], row[1]))

    def _named(self, rows: Sequence[Row]) -> list[Named]:
        return [(self.view.searcher.doc(address)["id"][0], value, tie) for value, tie, address in rows]

    def _go_on(self, page: Sequence[Named], ranked: bool) -> str:
        """The cursor of the next page. By relevance it remembers the view and the hits just shown."""
        before = self.after.served if self.after else 0
        _, value, tie = page[-1]
        if not ranked:
            return cursor.encode(self.query, Place(before + len(page), value, tie).written())
        self.generation.hold(self.view)
        shown = [*(self.after.near if self.after else ()), *(one >> _SHORT for _, _, one in page)]
        return cursor.encode(
            self.query, Place(before + len(page), value, tie, tuple(shown[-_NEAR:]), self.view.stamp).written()
        )

    # counts

    def _with_counts(self, page: Callable[[], list[Named]]) -> tuple[list[Named], int, dict[str, tuple[Bucket, ...]]]:
        """The page, and the total and facets: remembered, or counted beside it."""
        key = repr(replace(self.query, cursor="", size=0, sort="relevance"))
        known = self.view.counted.get(key) if len(key) < _LONGEST_KEY else None
        if known is not None:
            return page(), *known
        names = [name for name in dict.fromkeys(self.query.facets) if name in FACETS]
        found, *counted = side_by_side([page, *self._passes(names)])
        facets = {name: buckets for part in counted for name, buckets in part.items()}
        total = self.total
        if total is None:
            total = self.view.searcher.search(self._without(), 1).count  # type: ignore[attr-defined]
        known = total, {name: facets[name] for name in names}
        if len(key) < _LONGEST_KEY:
            self.view.counted.put(key, *known)
        return found, *known

    def _passes(self, names: Sequence[str]) -> list[Callable[[], dict[str, tuple[Bucket, ...]]]]:
        """Each facet is counted with every filter but its own: those without one together, each other in a pass."""
        own = [name for name in names if self.query.filters.get(name)]
        passes = [("", [name for name in names if name not in own]), *((name, [name]) for name in own)]
        return [partial(self._count, self._without(name), counted) for name, counted in passes if counted]

    def _without(self, name: str = "") -> tantivy.Query:
        """What is found by the text and every filter but this one."""
        return self.compiler.both([*self.found, *self.compiler.filters(self.query, without=name)])

    def _count(self, query: tantivy.Query, names: Sequence[str]) -> dict[str, tuple[Bucket, ...]]:
        specs: dict[str, dict[str, Any]] = {}
        for name in names:
            opened = self.query.opened.get(name)
            if name not in TREES or opened is not None:
                specs[column(name)] = {"field": column(name), "size": _MOST_SETS}
            if name in TREES and opened is None:
                specs[name] = {"field": name, "size": MOST_BUCKETS}
            elif name in TREES and (wanted := below(name, opened or ())):
                specs[name] = {"field": name, "size": MOST_BUCKETS, "include": wanted}
        counted = self.view.searcher.aggregate(query, {name: {"terms": spec} for name, spec in specs.items()})
        return {name: _buckets(counted.get(name), counted.get(column(name))) for name in names}

    def _exact(self, parsed: Parsed, found: Sequence[Named], ranked: bool) -> bool:
        """Whether the first hits of all bear the number asked for."""
        if parsed.filters.get("number"):
            return bool(found)
        return ranked and bool(parsed.numbers) and bool(found) and found[0][1] >= ranking.EXACT


def _buckets(single: Any, sets: Any) -> tuple[Bucket, ...]:
    """Counts of single values, and of sets of values that stand as one."""
    found: dict[str, int] = {}
    for bucket in sets["buckets"] if sets else ():
        for value in bucket["key"].split(BESIDE):
            found[value] = found.get(value, 0) + bucket["doc_count"]
    found |= {bucket["key"]: bucket["doc_count"] for bucket in (single["buckets"] if single else ())}
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:MOST_BUCKETS]
    return tuple(Bucket(value, int(count)) for value, count in ranked)
