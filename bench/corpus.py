"""Any number of offers made of the real records: titles, halves of abstracts, classes, divisions and industries of
different records put together. Prices, dates and the rest are drawn by chance; nothing about real offers follows.

The same seed gives the same offers. Nothing is kept in memory but the records themselves.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench import records
from marketplace.discovery import bands, trees
from search.analysis import chinese_words
from search.document import Document
from search.numbers import forms

DAY = 86_400
START = 20_780  # days since 1970: late in 2026
KINDS = ("invention_patent",) * 5 + ("utility_model",) * 3 + ("patent_application", "software", "trademark")
CHANNELS = ("auction",) * 5 + ("storage",) * 2 + ("licence",) * 3
STATUSES = ("open",) * 4 + ("announced",) * 2 + ("running",) * 3 + ("ended",)
LICENCES = ("exclusive", "sole", "ordinary")
BANKS = tuple(f"bank-{n:02}" for n in range(40))
CHINESE_SHARE = 0.75
FACETS = ("kind", "channel", "status", "ipc", "industry", "region", "licence", "bank", "price_band", "term_band",
          "closing_band")  # fmt: skip


@dataclass
class Material:
    """Parts of the real records."""

    zh: list[tuple[str, str]] = field(default_factory=list)  # title, abstract
    en: list[tuple[str, str]] = field(default_factory=list)
    titles: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)  # Chinese title, subclasses
    groups: list[str] = field(default_factory=list)
    industries: list[str] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> Material:
        made = cls()
        for record in records.lines(folder / "patents.jsonl"):
            if record["lang"] == "zh":
                made.zh.append((record["title_zh"], record["abstract_zh"]))
            elif record.get("abstract_en"):
                made.en.append((record["title_en"], record["abstract_en"]))
        for row in records.rows(folder / "patents_cn_titles.csv"):
            made.titles.append((row["title_zh"], tuple(row["ipc_subclasses"].split("|"))))
        made.groups = [row["code"] for row in records.rows(folder / "ipc.csv") if row["level"] == "main_group"]
        made.industries = [row["code"] for row in records.rows(folder / "gbt4754.csv") if row["level"] == "4"]
        made.regions = [row["code"] for row in records.rows(folder / "divisions.csv") if row["level"] == "county"]
        return made


def offers(material: Material, count: int, seed: int = 1, first: int = 0) -> Iterator[Document]:
    draw = random.Random(seed)
    by_subclass: dict[str, list[str]] = {}
    for group in material.groups:
        by_subclass.setdefault(group[:4], []).append(group)
    for number in range(first, first + count):
        yield _offer(draw, material, by_subclass, number)


def newer(document: Document, version: int, draw: random.Random) -> Document:
    """The same offer at a later version, at another price."""
    numbers = {**document.numbers, "price_minor": draw.randrange(10**6, 10**9)}
    return replace(document, version=version, numbers=numbers)


def _offer(draw: random.Random, material: Material, by_subclass: dict[str, list[str]], number: int) -> Document:
    title, subclasses = draw.choice(material.titles)
    texts: dict[str, str] = {"applicant": f"第{number % 5_000:04}号专利权人有限公司"}
    if draw.random() < CHINESE_SHARE:
        texts |= {"title": title, "abstract": _halves(draw, material.zh, "。")}
        if draw.random() < 0.2:
            texts["title_en"] = draw.choice(material.en)[0]
    else:
        texts |= {"title_en": draw.choice(material.en)[0], "abstract_en": _halves(draw, material.en, ". ")}
    codes = [draw.choice(by_subclass.get(one) or material.groups) for one in subclasses[:3]]
    price = int(10 ** draw.uniform(6, 9.3))  # 10,000 to 20 million yuan, in fen
    term, closes = draw.randrange(30, 20 * 365), draw.randrange(1, 60)
    return Document(
        id=f"L{number:08}",
        version=1,
        texts=texts,
        keywords={
            "kind": (draw.choice(KINDS),),
            "channel": (draw.choice(CHANNELS),),
            "status": (draw.choice(STATUSES),),
            "ipc": _steps("ipc", codes),
            "industry": _steps("industry", [draw.choice(material.industries)]),
            "region": _steps("region", [draw.choice(material.regions)]),
            "licence": tuple(one for one in LICENCES if draw.random() < 0.5),
            "bank": (draw.choice(BANKS),),
            "number": forms(f"CN{114_000_000 + number}{'AB'[number % 2]}"),
            "currency": ("CNY",),
            "price_band": (bands.price_band(price, "CNY"),),
            "term_band": (next(code for code, years in reversed(bands.TERMS) if term >= years * 365),),
            "closing_band": tuple(str(days) for days in bands.CLOSINGS if closes <= days),
        },
        numbers={
            "price_minor": price,
            "term_end_day": START + term,
            "closes_at": (START + closes) * DAY,
            "published_at": (START - draw.randrange(0, 365)) * DAY + draw.randrange(DAY),
            "urgency": next((rank for days, rank in bands.URGENCY if closes <= days), 0),
            "health": draw.choice((2, 2, 2, 1, 0)),
        },
    )


def _halves(draw: random.Random, pairs: Sequence[tuple[str, str]], stop: str) -> str:
    """The first half of one abstract and the second of another, cut between sentences where there are some."""
    one, other = draw.choice(pairs)[1], draw.choice(pairs)[1]
    begin = one.find(stop, len(one) // 3) + len(stop) if stop in one[len(one) // 3 : -2] else len(one) // 2
    return one[:begin] + other[len(other) // 2 :]


def _steps(scheme: str, codes: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(step for code in codes for step in trees.path(scheme, code)))


def _words(draw: random.Random, title: str) -> str:
    """One to three dictionary words of a Chinese title."""
    words = [word for word in chinese_words(title) if len(word) > 1] or [title]
    return " ".join(draw.sample(words, min(len(words), draw.randrange(1, 4))))


def questions(folder: Path, material: Material, count: int, seed: int = 2) -> Iterator[dict[str, Any]]:
    """What a reader might ask: one to three words of a real title, a whole title in Chinese or English, or a topic, a
    quarter each; none to three filters. As arguments of ``Query``."""
    draw = random.Random(seed)
    topics = [row for row in records.lines(folder / "relevance" / "topic_queries.jsonl") if row["standalone"]]
    asked = [row[name] for row in topics for name in ("query_zh", "query_en") if row.get(name)]
    for _ in range(count):
        text = draw.choice(
            (
                _words(draw, draw.choice(material.titles)[0]),
                draw.choice(material.titles)[0],
                draw.choice(material.en)[0],
                draw.choice(asked),
            )
        )
        filters: dict[str, tuple[str, ...]] = {}
        ranges: dict[str, tuple[int | None, int | None]] = {}
        for name in draw.sample(("kind", "channel", "ipc", "industry", "region", "price"), draw.randrange(4)):
            if name == "price":
                ranges["price_minor"] = (10**7, 5 * 10**8)
            elif name == "region":
                filters[name] = (draw.choice(list(trees.REGION)),)
            elif name in ("ipc", "industry"):
                filters[name] = (draw.choice("ABCEFGH"),)
            else:
                filters[name] = tuple(draw.sample(sorted(set(KINDS if name == "kind" else CHANNELS)), 2))
        opened = {scheme: trees.opened(scheme, filters.get(scheme, ())) for scheme in trees.SCHEMES}
        yield {
            "text": text, "filters": filters, "ranges": ranges, "facets": FACETS, "opened": opened, "size": 20
        }  # fmt: skip
