"""Words of the search page: names of filters and of their values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from marketplace.core.i18n import _, _l, get_locale
from marketplace.listings import texts as listing_texts
from marketplace.rights.rules.kinds import KINDS

FIELDS: Mapping[str, Any] = {
    "q": _l("搜索词"),
    "state": _l("状态"),
    "kind": _l("种类"),
    "channel": _l("渠道"),
    "region": _l("地区"),
    "ipc": _l("技术领域（IPC）"),
    "industry": _l("行业"),
    "price": _l("价格"),
    "closing": _l("结束时间"),
    "term": _l("剩余保护期"),
    "licence": _l("尚可授予的许可"),
    "bank": _l("处置银行"),
    "low": _l("价格不低于"),
    "high": _l("价格不高于"),
    "until": _l("结束不晚于"),
    "sort": _l("排序"),
    "cursor": _l("页码"),
}
SORTS: Mapping[str, Any] = {
    "relevance": _l("相关程度"),
    "newest": _l("最新公告"),
    "closing": _l("最早结束"),
    "price_up": _l("价格从低到高"),
    "price_down": _l("价格从高到低"),
}
PRICES: Mapping[str, Any] = {
    "0-10": _l("10 万元以下"),
    "10-50": _l("10 万至 50 万元"),
    "50-100": _l("50 万至 100 万元"),
    "100-500": _l("100 万至 500 万元"),
    "500-1000": _l("500 万至 1000 万元"),
    "1000-": _l("1000 万元以上"),
}
TERMS: Mapping[str, Any] = {
    "0-1": _l("不足 1 年"),
    "1-3": _l("1 至 3 年"),
    "3-5": _l("3 至 5 年"),
    "5-10": _l("5 至 10 年"),
    "10-": _l("10 年以上"),
}
CLOSINGS: Mapping[str, Any] = {
    "1": _l("1 天内"),
    "3": _l("3 天内"),
    "7": _l("7 天内"),
    "30": _l("30 天内"),
}
LICENCES: Mapping[str, Any] = {
    "exclusive": _l("独占许可"),
    "sole": _l("排他许可"),
    "ordinary": _l("普通许可"),
}
VALUES: Mapping[str, Mapping[str, Any]] = {
    "state": listing_texts.SALE_STATES,
    "channel": listing_texts.CHANNELS,
    "price": PRICES,
    "term": TERMS,
    "closing": CLOSINGS,
    "licence": LICENCES,
}
_CHINESE = re.compile("[\u3400-\u9fff]")
_KINDS = {str(info.code): info for info in KINDS.values()}


def english() -> bool:
    return str(get_locale() or "zh") == "en"


def spoken(text: object) -> Markup:
    """The text, marked as Chinese where it is Chinese on an English page, for screen readers."""
    told = escape(text)
    return Markup('<span lang="zh-CN">{}</span>').format(told) if english() and _CHINESE.search(told) else told


def kind_name(code: str) -> str:
    info = _KINDS.get(code)
    return code if info is None else info.en if english() else info.zh


def value_text(name: str, value: str, names: Mapping[tuple[str, str], str]) -> str:
    """A value of a filter as people call it: ``names`` holds trees and banks. Codes of the IPC stay beside the name."""
    if name == "kind":
        return kind_name(value)
    if name in VALUES:
        return str(VALUES[name].get(value, value))
    called = names.get((name, value), "")
    if name == "ipc":
        return f"{value} {called}".strip()
    if name == "bank" and not called:
        return _("机构 %(id)s", id=value)
    return called or value
