"""Why an offer may serve a need, as pure rules over public facts: reasons with points, no text of the page.

An offer that shares neither a field of technology nor words with the need serves nobody, however well its price and
region fit. Points only order the list; what people read are the reasons.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from search import analysis

MOST_WORDS = 5
#: How codes are written: IPC down to the subgroup; GB/T 4754 with or without the letter of the section.
IPC = re.compile(r"[A-H](\d{2}([A-Z](\d{1,4}(/\d{1,6})?)?)?)?", re.ASCII)
INDUSTRY = re.compile(r"[A-T]|[A-T]?\d{2,4}", re.ASCII)
REGION = re.compile(r"\d{6}", re.ASCII)
Strength = Literal["for", "against"]
#: What every patent says of itself; it tells nothing about its field.
_ZH = """
一种 及其 方法 装置 系统 设备 技术 应用 用途 制备 生产 加工 工艺 结构 基于 用于 适用 具有 包括 包含 其中 所述
进行 提供 实现 使用 采用 可以 能够 需要 以及 相关 解决 问题 方案 项目 产品 企业 公司 我们 我司 寻求 寻找 求购
希望 要求 专利 发明 实用 新型 外观 设计 改进 优化 提高 降低 控制 处理 多个 一个 至少 根据 通过 之间 或者 并且
同时 不同 高效 新的 该专利 本发明 许可 转让 合作 求 的 和 与 或 及 在 了 是 于 为 其 将 由 且
"""
_EN = """
the and for with from that this which are our can has have into its use uses used using method methods system systems
device devices apparatus technology technologies technique process processes product products patent patents invention
based comprising wherein least plurality need needs looking seek seeking want license licence purchase company improved
improving high low new one two more than such any all not per may will also other
"""
COMMON_ZH = tuple(sorted(_ZH.split(), key=len, reverse=True))  # longest first, so that the whole word goes
COMMON_EN = frozenset(_EN.split())


@dataclass(frozen=True)
class Wish:
    """A need as the rules see it. ``texts``: title and text in any language. Amounts in minor units."""

    texts: tuple[str, ...]
    ipc: tuple[str, ...] = ()
    industry: str = ""
    region: str = ""
    wanted: str = "either"  # licence, purchase, either
    low_minor: int | None = None
    high_minor: int | None = None
    currency: str = "CNY"


@dataclass(frozen=True)
class Offer:
    """A published offer as the rules see it; codes may hold whole branches of their trees."""

    texts: tuple[str, ...]
    ipc: tuple[str, ...] = ()
    industry: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    channel: str = "auction"  # auction, storage: the right itself; licence: a licence under it
    price_minor: int | None = None
    currency: str = "CNY"


@dataclass(frozen=True)
class Reason:
    """``code`` has its words in ``texts.REASONS``; ``params`` are facts, never a name."""

    code: str
    points: int
    params: Mapping[str, Any] = field(default_factory=dict)
    strength: Strength = "for"


@dataclass(frozen=True)
class Verdict:
    score: int
    reasons: tuple[Reason, ...]


def judge(wish: Wish, offer: Offer) -> Verdict | None:
    """The reasons for and against, strongest first; None when the two share no technology."""
    field_of = list(_ipc(wish.ipc, offer.ipc))
    words = shared_words(wish.texts, offer.texts)
    said = min(sum(2 if len(word) > 2 else 1 for word in words), 8)
    if not field_of and said < 2:
        return None
    found = list(field_of)
    if words:
        found.append(Reason("words", said, {"words": list(words)}))
    found += _industry(wish.industry, offer.industry)
    found += _region(wish.region, offer.region)
    found += _price(wish, offer)
    found += _channel(wish.wanted, offer.channel)
    found.sort(key=lambda reason: (reason.strength == "against", -reason.points))
    return Verdict(sum(reason.points for reason in found), tuple(found))


def ipc_code(code: str) -> str:
    """``h01m 10/0525`` → ``H01M10/0525``."""
    return "".join(code.split()).upper()


def _ipc(wished: Iterable[str], offered: Iterable[str]) -> Iterable[Reason]:
    """The same subclass (H01M), or at least the same class (H01)."""
    wanted = {ipc_code(code) for code in wished}
    has = {ipc_code(code) for code in offered}
    subclasses = sorted({c[:4] for c in wanted if len(c) >= 4} & {c[:4] for c in has if len(c) >= 4})
    if subclasses:
        yield Reason("ipc_subclass", 6, {"ipc": subclasses})
        return
    classes = sorted({c[:3] for c in wanted if len(c) >= 3} & {c[:3] for c in has if len(c) >= 3})
    if classes:
        yield Reason("ipc_class", 3, {"ipc": classes})


def _industry(wished: str, offered: Iterable[str]) -> Iterable[Reason]:
    """GB/T 4754: the same code or one within it, or the same division (two digits)."""
    has = {_industry_code(code): code for code in offered if code}
    code = _industry_code(wished)
    if not code or not has:
        return
    if any(len(code) > 2 and other.startswith(code) for other in has):
        yield Reason("industry", 2, {"industry": wished.strip().upper()})
    elif code[:2].isdigit() and any(other[:2] == code[:2] for other in has):
        yield Reason("industry_division", 1, {"industry": has.get(code[:2], code[:2])})


def _industry_code(code: str) -> str:
    """Without the letter of the section: ``C3841`` → ``3841``; a section alone stays."""
    code = code.strip().upper()
    return code[1:] if len(code) > 1 and code[0].isalpha() else code


def _region(wished: str, offered: Iterable[str]) -> Iterable[Reason]:
    """The same city (four digits) or province (two) of the codes of GB/T 2260."""
    has = {code for code in offered if len(code) == 6 and code.isdigit()}
    if len(wished) != 6 or not has:
        return
    city = wished[:4]
    if not city.endswith("00") and any(code[:4] == city for code in has):
        yield Reason("region_city", 2, {"region": f"{city}00"})
    elif any(code[:2] == wished[:2] for code in has):
        yield Reason("region_province", 1, {"region": f"{wished[:2]}0000"})


def _price(wish: Wish, offer: Offer) -> Iterable[Reason]:
    """Within the budget; or above it and by how much, which speaks against."""
    if offer.price_minor is None or offer.currency != wish.currency or wish.high_minor is None:
        return
    params = {"price_minor": offer.price_minor, "currency": offer.currency}
    if offer.price_minor <= wish.high_minor:
        yield Reason("price_within", 2, params)
    elif wish.high_minor:
        over = -(-(offer.price_minor - wish.high_minor) * 100 // wish.high_minor)  # percent, rounded up
        yield Reason("price_above", -2 if over > 50 else -1, params | {"percent": over}, "against")


def _channel(wanted: str, channel: str) -> Iterable[Reason]:
    """A licence is asked and a licence offered, or the right itself; the other way round speaks against."""
    licence = channel == "licence"
    if wanted == "either":
        return
    if licence == (wanted == "licence"):
        yield Reason(f"wanted_{wanted}", 2)
    else:
        yield Reason("only_licence" if licence else "only_sale", -2, {}, "against")


def shared_words(wished: Iterable[str], offered: Iterable[str]) -> tuple[str, ...]:
    """Words that both say, the longest first: English words by their stem, Chinese as the longest common pieces,
    both without the words that every patent uses."""
    wish_runs = [run for text in wished for run in analysis.runs(analysis.fold(text))]
    offer_runs = [run for text in offered for run in analysis.runs(analysis.fold(text))]
    found: dict[str, str] = {}
    stems = {analysis.stream(run) for run in offer_runs if not analysis.is_chinese(run)}
    for run in wish_runs:
        if not analysis.is_chinese(run) and len(run) > 2 and not run.isdigit() and run not in COMMON_EN:
            stem = analysis.stream(run)
            if stem in stems:
                found.setdefault(stem, run)
    text = " ".join(run for run in offer_runs if analysis.is_chinese(run))
    pieces: dict[str, None] = {}
    for run in wish_runs:
        if analysis.is_chinese(run):
            pieces |= dict.fromkeys(_common_pieces(run, text))
    chinese = sorted(pieces, key=lambda piece: -len(piece))
    kept = [piece for n, piece in enumerate(chinese) if not any(piece in longer for longer in chinese[:n])]
    return tuple((sorted(found.values(), key=lambda word: -len(word)) + kept)[:MOST_WORDS])


def _common_pieces(run: str, text: str) -> Iterable[str]:
    """The longest pieces of a Chinese run that stand in the text, common words cut off both ends."""
    at = 0
    while at < len(run) - 1:
        end = at + 2
        if run[at:end] not in text:
            at += 1
            continue
        while end < len(run) and run[at : end + 1] in text:
            end += 1
        yield from _telling(run[at:end])
        at = end - 1


def _telling(piece: str) -> Iterable[str]:
    """What is left of a piece between its common words, where it is at least two characters."""
    for word in COMMON_ZH:
        if len(word) > 1:
            piece = piece.replace(word, " ")
    single = tuple(word for word in COMMON_ZH if len(word) == 1)
    for part in piece.split():
        while part.endswith(single):
            part = part[:-1]
        while part.startswith(single):
            part = part[1:]
        if len(part) > 1:
            yield part
