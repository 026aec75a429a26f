"""What is asked, in words that both engines understand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Sort = Literal["relevance", "price_up", "price_down", "closing", "newest"]
SORTS: tuple[Sort, ...] = ("relevance", "price_up", "price_down", "closing", "newest")
LONGEST_TEXT = 500  # characters read; the rest is cut and said so
LARGEST_PAGE = 100
DEEPEST = 1_000  # hits that can be paged through; beyond, the page asks to narrow the search
MOST_BUCKETS = 1_000  # values counted of one facet, the most frequent


@dataclass(frozen=True)
class Query:
    """``filters``: any of the values within a field, all of the fields. ``ranges``: both ends included, ``None`` is
    open. ``facets`` are counted with every filter but the facet's own. ``ids`` keeps the answer within these documents
    (alerts ask a stored query of the documents just written). ``like``: more like this document, itself left out.

    ``match``: ``any`` ranks whatever shares a word (a person reads the best first); ``all`` wants every word or every
    Chinese run (an alert must not cry wolf). An empty text matches everything. ``synonyms``: groups of words that
    managers keep, used besides the domain's own lists. ``also``: ids that count as found by the text although no word
    of it may stand in them (near in meaning, search/dense.py); filters hold for them too, and they add no score.
    ``opened``: of a facet that is a tree (search/branches.py) only the top is counted, these codes, and what stands
    directly below them; without an entry every value is counted.
    ``names``: for a field prefix, the value that a word typed behind it stands for (``region``: 湖北 → 420000).
    """

    text: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)
    sort: Sort = "relevance"
    size: int = 20
    cursor: str = ""
    facets: tuple[str, ...] = ()
    opened: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ids: tuple[str, ...] | None = None
    like: str = ""
    match: Literal["any", "all"] = "any"
    synonyms: tuple[tuple[str, ...], ...] = ()
    also: tuple[str, ...] = ()
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
