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


#: Words of the patent form, which stand in every other text whatever it is about: tokens as the analysis makes them.
_FORM_ENGLISH = """
also apparatus base compris devic disclos each embodi first further includ invent least method more one plural present
provid said second system techniqu thereof use various
"""
_FORM_CHINESE = (
    "一种 种基 种用 方法 装置 系统 设备 结构 基于 包括 进行 发明 申请 公开 提供 涉及 通过 根据 所述 其中 技术 领域 "
    "实现 应用 能够 可以 得到 提高 多个 第一 第二"
)
_FORM = frozenset(f"{_FORM_ENGLISH} {_FORM_CHINESE}".split())


def is_form(token: str) -> bool:
    """Whether this token ranks but finds nothing beside others: 一种基于石墨烯的散热装置 is not every 装置."""
    return token in _FORM


def is_stop(token: str) -> bool:
    """Whether this token, as the analysis made it, is left out of the ranking."""
    return token in _STOPS or (len(token) == 2 and not _EDGES.isdisjoint(token))
