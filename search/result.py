"""What is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Hit:
    """An id in its place. ``score`` compares hits of one answer only."""

    id: str
    score: float = 0.0


@dataclass(frozen=True)
class Bucket:
    value: str
    count: int


@dataclass(frozen=True)
class Result:
    """``cursor`` asks for the next page; empty at the end. ``corrected`` is the text with typing errors in Latin words
    mended, when that is what was searched. ``exact``: the first hits bear the number that was asked for. ``cut``: the
    text was longer than is read."""

    hits: tuple[Hit, ...]
    total: int
    facets: Mapping[str, tuple[Bucket, ...]] = field(default_factory=dict)
    cursor: str = ""
    corrected: str = ""
    exact: bool = False
    cut: bool = False


@dataclass(frozen=True)
class Fault:
    """One document that was not written. ``permanent``: trying again will not help."""

    id: str
    reason: str
    permanent: bool
