"""What of an English page is Chinese although it should not be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape

CJK = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
_MARKED = re.compile(r'<(\w+)\b[^>]*\blang="zh-CN"[^>]*>(?:(?!<\1\b).)*?</\1>', re.S)
_SILENT = re.compile(r"<(script|style)\b.*?</\1>|<!--.*?-->", re.S)
_TEXT = re.compile(r">([^<]+)<|\b(?:placeholder|title|aria-label|value|alt|data-[\w-]+|content)=\"([^\"]*)\"")


def chinese_left(page: str, known: Iterable[str] = ()) -> list[str]:
    """Chinese texts of a page outside elements marked as Chinese, once ``known`` (what people typed, official names)
    is taken out, longest first."""
    page = _MARKED.sub("", _SILENT.sub("", page))
    names = sorted((name for name in known if CJK.search(name)), key=len, reverse=True)
    found = []
    for inner, attribute in _TEXT.findall(page):
        text = unescape(inner or attribute)
        if not CJK.search(text):
            continue
        for name in names:
            text = text.replace(name, "")
        if CJK.search(text):
            found.append(" ".join(text.split()))
    return list(dict.fromkeys(found))
