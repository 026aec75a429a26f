"""Two orders made one."""

from __future__ import annotations

from collections.abc import Sequence

K = 60  # Cormack, Clarke and Büttcher, SIGIR 2009: how little the first places count more than the next


def reciprocal_rank_fusion(*orders: Sequence[str], k: int = K) -> list[tuple[str, float]]:
    """All ids of the orders with the sum of 1 / (k + rank), best first; equal sums in the order of the ids.

    An id that one order lacks gets nothing from it. Scores of the orders are not looked at, so they need not compare.
    """
    sums: dict[str, float] = {}
    for order in orders:
        for rank, one in enumerate(dict.fromkeys(order), 1):
            sums[one] = sums.get(one, 0.0) + 1 / (k + rank)
    return sorted(sums.items(), key=lambda item: (-item[1], item[0]))
