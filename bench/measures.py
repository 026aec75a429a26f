"""How good an order is, and how sure the figure: pure functions over what was found."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Mapping, Sequence

RESAMPLES = 2_000


def ndcg(found: Sequence[str], gains: Mapping[str, int], depth: int = 10) -> float:
    """Normalised discounted cumulative gain of the first ``depth``, gains taken as they are (linear), 0 to 1.

    Järvelin and Kekäläinen 2002 with the discount log2(rank + 1). A query without a relevant document is 0.
    """
    best = sum(gain / math.log2(rank + 2) for rank, gain in enumerate(sorted(gains.values(), reverse=True)[:depth]))
    got = sum(gains.get(one, 0) / math.log2(rank + 2) for rank, one in enumerate(found[:depth]))
    return got / best if best else 0.0


def recall(found: Sequence[str], gains: Mapping[str, int], depth: int = 100) -> float:
    """Share of the relevant documents that are among the first ``depth``."""
    relevant = {one for one, gain in gains.items() if gain > 0}
    return len(relevant.intersection(found[:depth])) / len(relevant) if relevant else 0.0


def reciprocal_rank(found: Sequence[str], gains: Mapping[str, int]) -> float:
    """One over the rank of the first relevant document; 0 when none was found."""
    return next((1 / rank for rank, one in enumerate(found, 1) if gains.get(one, 0) > 0), 0.0)


def interval(values: Sequence[float], seed: int = 1, resamples: int = RESAMPLES) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the mean. For two ways, give the differences query by query (paired)."""
    if not values:
        return 0.0, 0.0
    draw = random.Random(seed)
    means = sorted(statistics.fmean(draw.choices(values, k=len(values))) for _ in range(resamples))
    return means[int(0.025 * resamples)], means[min(resamples - 1, int(0.975 * resamples))]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
