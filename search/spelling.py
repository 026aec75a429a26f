"""Typing errors in Latin words: the word of the index that was most likely meant."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz.distance import OSA

SHORTEST = 4  # letters; shorter words have too many neighbours
LONGEST = 24


def mendable(word: str) -> bool:
    """Whether a word may be a typing error at all."""
    return SHORTEST <= len(word) <= LONGEST and word.isascii() and word.isalpha()


def allowed(word: str) -> int:
    """How many slips are forgiven: one up to seven letters, two beyond."""
    return 1 if len(word) < 8 else 2


def closest(word: str, known: Iterable[tuple[str, int]]) -> str | None:
    """The known word with the fewest slips; of equals the one in most documents. ``known``: (word, documents)."""
    best: tuple[int, int, str] | None = None
    most = allowed(word)
    for other, count in known:
        if abs(len(other) - len(word)) > most or not other.isalpha():
            continue
        slips = distance(word, other, most)
        if slips <= most and (best is None or (slips, -count, other) < best):
            best = (slips, -count, other)
    return best[2] if best else None


def distance(one: str, two: str, most: int) -> int:
    """Letters added, left out, changed, or swapped with their neighbour; ``most + 1`` when there are more."""
    return OSA.distance(one, two, score_cutoff=most)
