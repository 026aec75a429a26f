"""What a word behind a field prefix stands for (种类:发明专利, status:running, 地区:湖北), in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from marketplace.discovery import tiles, trees
from marketplace.listings.filters import CHANNELS, STATES
from marketplace.rights.rules.kinds import KINDS
from search import analysis

_STATES = {"scheduled": "即将开始", "running": "竞价中", "suspended": "暂缓", "sold": "成交", "unsold": "流拍",
           "withdrawn": "已撤回"}  # fmt: skip
_CHANNELS = {"auction": "拍卖", "storage": "收储回购", "licence": "二次许可"}
_LICENCES = {
    "exclusive": ("独占许可", "独占"),
    "sole": ("排他许可", "排他"),
    "ordinary": ("普通许可", "普通", "non-exclusive"),
}


def _table(rows: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    return {analysis.fold(word).strip(): code for code, words in rows for word in (code, *words) if word}


@cache
def names() -> Mapping[str, Mapping[str, str]]:
    """Field → word as folded → value."""
    regions = [
        (code, (*name, name[0].removesuffix("省").removesuffix("市"), tiles.TILES[code][2]))
        for code, name in trees.REGION.items()
    ]
    return {
        "kind": _table((str(info.code), (info.zh, info.en)) for info in KINDS.values()),
        "channel": _table((code, (_CHANNELS[code],)) for code in CHANNELS),
        "status": _table((code, (_STATES[code],)) for code in STATES),
        "licence": _table(_LICENCES.items()),
        "region": _table(regions),
        "industry": _table(trees.INDUSTRY.items()),
    }
