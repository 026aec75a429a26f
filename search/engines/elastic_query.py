"""A question in the terms of Elasticsearch: the same selection and order as the embedded engine's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from search.branches import TREES, shown
from search.document import KEYWORDS, NUMBER_LIMIT, NUMBERS
from search.engines import shape
from search.language import Clause, Parsed
from search.query import MOST_BUCKETS, Query
from search.ranking import EXACT

Part = dict[str, Any]
LIVE: Part = {"term": {"live": True}}


def question(parsed: Parsed, query: Query, like: Sequence[str]) -> dict[str, list[Part]]:
    """The text side as the parts of a ``bool``: ``must`` makes the score, the others only select."""
    must: list[Part] = []
    only: list[Part] = [LIVE]
    never: list[Part] = [clause(one) for one in parsed.must_not]
    found = _found(parsed, query)
    if found is not None:
        must.append(found)
    if like:
        must.append(either({"term": {"all": token}} for token in like))
        never.append(terms("id", (query.like,)))
    only += [either(clause(one) for one in group) for group in parsed.must]
    only += [terms(name, values) for name, values in parsed.filters.items()]
    never += [terms(name, values) for name, values in parsed.without.items()]
    if query.ids is not None:
        only.append(terms("id", query.ids))
    only += list(_ranges(query.ranges))
    return {"must": must, "filter": only, "must_not": never}


def _found(parsed: Parsed, query: Query) -> Part | None:
    """Any word, number, or near meaning; with ``all``, every word."""
    should = [clause(one, weighted=True) for one in parsed.should]
    lift = [clause(one, weighted=True) for one in parsed.lift]
    ways: list[Part] = []
    if query.match == "all" and parsed.every:
        groups = [either(clause(one) for one in group) for group in parsed.every]
        ways.append({"bool": {"filter": groups, "should": [*should, *lift], "minimum_should_match": 0}})
    elif should:
        ways.append(
            {"bool": {"must": [either(should)], "should": lift, "minimum_should_match": 0}} if lift else either(should)
        )
    if parsed.numbers:
        ways.append({"constant_score": {"filter": terms("number", parsed.numbers), "boost": EXACT}})
    if query.also and ways:
        ways.append({"constant_score": {"filter": terms("id", query.also), "boost": 0.0}})
    return either(ways) if ways else None


def clause(one: Clause, weighted: bool = False) -> Part:
    boost = one.weight if weighted else 1.0
    if len(one.tokens) == 1:
        return {"term": {one.field: {"value": one.tokens[0], "boost": boost}}}
    return {"match_phrase": {one.field: {"query": " ".join(one.tokens), "analyzer": "whitespace", "boost": boost}}}


def terms(name: str, values: Sequence[str]) -> Part:
    kept = values if name == "id" else values[: shape.MOST_VALUES]
    return {"terms": {name: [shape.safe(value) for value in kept]}}


def either(parts: Iterable[Part]) -> Part:
    made = list(parts)
    return made[0] if len(made) == 1 else {"bool": {"should": made, "minimum_should_match": 1}}


def _ranges(ranges: Mapping[str, tuple[int | None, int | None]]) -> Iterable[Part]:
    """Both ends included; whoever asks beyond what can be kept gets the ends of that."""
    for name, (low, high) in ranges.items():
        if name in NUMBERS and (low is not None or high is not None):
            ends = {"gte": low, "lte": high}
            yield {
                "range": {
                    name: {
                        end: max(-NUMBER_LIMIT - 1, min(value, NUMBER_LIMIT + 1))
                        for end, value in ends.items()
                        if value is not None
                    }
                }
            }


def narrowed(query: Query) -> tuple[list[Part], dict[str, Part]]:
    """The filters: those that hold for everything, and by facet those that must not touch their own counts."""
    asked = facets(query)
    whole, own = [], {}
    for name, values in query.filters.items():
        if name in KEYWORDS and values:
            if name in asked:
                own[name] = terms(name, values)
            else:
                whole.append(terms(name, values))
    return whole, own


def facets(query: Query) -> list[str]:
    return [name for name in dict.fromkeys(query.facets) if name in shape.FACETS]


def counts(query: Query, own: Mapping[str, Part]) -> dict[str, Part]:
    """One aggregation a facet, each under the filters of the other facets."""
    made: dict[str, Part] = {}
    for name in facets(query):
        spec: dict[str, Any] = {"field": name, "size": MOST_BUCKETS}
        opened = query.opened.get(name)
        if name in TREES and opened is not None:
            spec["include"] = shown(name, opened)
        others = [part for other, part in own.items() if other != name]
        counted: Part = {"terms": spec}
        if others:
            counted = {"filter": {"bool": {"filter": others}}, "aggs": {"values": counted}}
        made[name] = counted
    return made
