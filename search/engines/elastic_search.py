"""One question answered by Elasticsearch, in one request; a second only for a typing error, likeness, or a walk."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from search import analysis, cursor, ranking, spelling
from search.engine import CursorRefused
from search.engines import elastic_query as compile
from search.language import Parsed, parse
from search.query import DEEPEST, LARGEST_PAGE, SORTS, Query
from search.result import Bucket, Hit, Result

_MOST_WORDS = 8  # whose spelling is looked at
_LONGEST_VIEW = 2_000


class Asking(Protocol):
    """What a question needs of the engine."""

    def ask(self, body: dict[str, Any], view: str = "") -> dict[str, Any]: ...

    def kept(self, document_id: str) -> dict[str, str]: ...

    def view(self) -> str: ...


@dataclass(frozen=True)
class Place:
    """Where a page ended. A walk by relevance goes on in a view held from its second page on, without the hits of the
    first (their ties): scores move with whatever is written."""

    served: int
    value: float | None = None
    tie: int | None = None
    view: str = ""
    first: str = ""

    def written(self) -> list[Any]:
        return [self.served, self.value, self.tie, self.view, self.first]

    @classmethod
    def read(cls, written: Any) -> Place:
        try:
            served, value, tie, view, first = written
            place = cls(int(served), value if value is None else value + 0, int(tie), str(view), str(first))
            place.ties()
        except (TypeError, ValueError, LookupError):
            raise CursorRefused("this cursor belongs to another search") from None
        ends = (place.value or 0, place.tie or 0)
        if not 0 < place.served <= DEEPEST or any(abs(end) > 2**63 for end in ends):
            raise CursorRefused("this cursor leads too far")
        if len(place.view) > _LONGEST_VIEW or not re.fullmatch(r"[\w=-]*", place.view, re.ASCII):
            raise CursorRefused("this cursor belongs to another search")
        return place

    def ties(self) -> list[int]:
        raw = b64decode(self.first, validate=True)
        return [int.from_bytes(raw[at : at + 8], "big") for at in range(0, len(raw), 8)][:LARGEST_PAGE]


def _packed(ties: Sequence[int]) -> str:
    return b64encode(b"".join(tie.to_bytes(8, "big") for tie in ties)).decode()


class Search:
    def __init__(self, engine: Asking, query: Query) -> None:
        self.engine = engine
        self.query = query
        self.size = max(1, min(query.size, LARGEST_PAGE))
        self.sort = query.sort if query.sort in SORTS else "relevance"

    def result(self) -> Result:
        query = self.query
        after = Place.read(cursor.decode(query)) if query.cursor else None
        served = after.served if after else 0
        left = max(0, min(self.size, DEEPEST - served))
        parsed, corrected = self._parse(query.text), ""
        like = list(ranking.likeness(analysis.streams(self.engine.kept(query.like)))) if query.like else []
        if query.like and not like:
            return Result(hits=(), total=0, cut=parsed.cut)
        words = [word for word in parsed.words if spelling.mendable(word)][:_MOST_WORDS]
        body, view, ranked = self._body(parsed, like, after, left + 1)
        if words:
            body["suggest"] = {f"w{n}": _unknown(word) for n, word in enumerate(words)}
        answer = self.engine.ask(body, view)
        meant = self._meant(words, answer.get("suggest", {}))
        if meant:
            corrected = _mended(query.text, meant)
            parsed = self._parse(corrected)
            body, view, ranked = self._body(parsed, like, after, left + 1, view)
            answer = self.engine.ask(body, view)
        view = answer.get("pit_id", "")
        rows = answer["hits"]["hits"]
        total = int(answer["hits"]["total"]["value"])
        if after is not None and after.first:
            total += len(after.ties())
        hits = [Hit(row["_id"], float(row["sort"][0]) if ranked else 0.0) for row in rows[:left]]
        more = len(rows) > left and served + left < DEEPEST
        return Result(
            hits=tuple(hits),
            total=total,
            facets=self._facets(answer),
            cursor=self._go_on(rows[:left], served, ranked, after, view) if more and hits else "",
            corrected=corrected,
            exact=bool(hits)
            and (
                bool(parsed.filters.get("number")) or bool(parsed.numbers and ranked and hits[0].score >= ranking.EXACT)
            ),
            cut=parsed.cut,
        )

    def _parse(self, text: str) -> Parsed:
        return parse(text, self.query.synonyms, self.query.names, every=self.query.match == "all")

    # the request

    def _body(
        self, parsed: Parsed, like: Sequence[str], after: Place | None, size: int, view: str = ""
    ) -> tuple[dict[str, Any], str, bool]:
        query = self.query
        asked = compile.question(parsed, query, like)
        whole, own = compile.narrowed(query)
        asked["filter"] += whole
        ranked = self.sort == "relevance" and (parsed.ranked or bool(like))
        post = list(own.values())
        selected: dict[str, Any] = {"bool": asked}
        body: dict[str, Any] = {"size": size, "track_total_hits": True, "_source": False}
        if ranked:
            selected = {
                "function_score": {
                    "query": selected,
                    "field_value_factor": {"field": "weight", "missing": 1.0},
                    "boost_mode": "multiply",
                }
            }
            body["sort"] = [{"_score": "desc"}, {"tie": "asc"}]
            if after is not None:
                view, leave_out = view or after.view or self.engine.view(), after.ties()
                if leave_out:
                    post.append({"bool": {"must_not": [{"terms": {"tie": leave_out}}]}})
        else:
            field, downwards = ranking.ORDERS[self.sort]
            order = "desc" if downwards else "asc"
            body["sort"] = [{field: {"order": order, "missing": "_last"}}, {"tie": "asc"}]
        if after is not None and after.value is not None:
            body["search_after"] = [after.value, after.tie]
        body["query"] = selected
        if post:
            body["post_filter"] = {"bool": {"filter": post}}
        counted = compile.counts(query, own)
        if counted:
            body["aggs"] = counted
        return body, view, ranked

    def _go_on(self, rows: Sequence[dict[str, Any]], served: int, ranked: bool, after: Place | None, view: str) -> str:
        value, tie, *_ = rows[-1]["sort"]
        if ranked and after is None:
            # the second page opens a view of that moment and leaves out what the first has shown
            place = Place(served + len(rows), None, 0, "", _packed([row["sort"][1] for row in rows]))
        else:
            first = after.first if after and ranked else ""
            place = Place(served + len(rows), value, tie, view if ranked else "", first)
        return cursor.encode(self.query, place.written())

    # the answer

    def _facets(self, answer: dict[str, Any]) -> dict[str, tuple[Bucket, ...]]:
        found = answer.get("aggregations", {})
        out = {}
        for name in compile.facets(self.query):
            counted = found[name].get("values", found[name])["buckets"]
            buckets = sorted(counted, key=lambda bucket: (-bucket["doc_count"], bucket["key"]))
            out[name] = tuple(Bucket(bucket["key"], bucket["doc_count"]) for bucket in buckets)
        return out

    def _meant(self, words: Sequence[str], suggested: dict[str, Any]) -> dict[str, str]:
        """What was probably meant by the words that no document has."""
        meant = {}
        for n, word in enumerate(words):
            options = [option for entry in suggested.get(f"w{n}", ()) for option in entry["options"]]
            closest = spelling.closest(word, [(option["text"], option["freq"]) for option in options])
            if closest and not self._known(word):
                meant[word] = closest
        return meant

    def _known(self, word: str) -> bool:
        """Whether the word stands somewhere in another form."""
        token = {"term": {"all": analysis.stream(word)}}
        answer = self.engine.ask({"size": 0, "track_total_hits": 1, "query": {"bool": {"filter": [token]}}})
        return int(answer["hits"]["total"]["value"]) > 0


def _unknown(word: str) -> dict[str, Any]:
    """Near words, if this one is in no document."""
    return {
        "text": word,
        "term": {
            "field": "spell",
            "suggest_mode": "missing",
            "max_edits": spelling.allowed(word),
            "prefix_length": 1,
            "min_word_length": spelling.SHORTEST,
            "size": 20,
            "sort": "frequency",
        },
    }


def _mended(text: str, meant: dict[str, str]) -> str:
    for word, instead in meant.items():
        text = re.sub(rf"(?<![^\W_]){word}(?![^\W_])", instead, text, flags=re.IGNORECASE)
    return text
