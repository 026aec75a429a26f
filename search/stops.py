"""Words that say nothing alone. They are indexed (phrases need them) but do not rank beside other words."""

from __future__ import annotations

_ENGLISH = """
a an and are as at be by can for from has have in into is it its may of on or such that the their them there thereof
therein these this those to was were when where wherein which while with within without
"""
_CHINESE = (
    "的 了 和 与 及 或 在 是 为 对 于 中 等 之 其 该 所 以 将 被 把 由 从 而 且 并 也 有 个 种 一种 以及 或者 用于"
)
_STOPS = frozenset(f"{_ENGLISH} {_CHINESE}".split())
_EDGES = frozenset("的了和与及或")


def is_stop(token: str) -> bool:
    """Whether this token, as the analysis made it, is left out of the ranking."""
    return token in _STOPS or (len(token) == 2 and not _EDGES.isdisjoint(token))
