"""The sources of rules read right in both languages, every one that the program names."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import marketplace
from marketplace.auctions.rules.catalogue import PROFILES
from marketplace.core.cli import load
from marketplace.core.sources import LAWS, NAMED, in_chinese, in_english

ROOT = Path(marketplace.__file__).resolve().parents[1]
CJK = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
WRITTEN = re.compile(r"(?:source=|\"source\": |ui\.source\()[\"']([^\"'{}]+)[\"']")


def of_data(thing: Any) -> Iterator[str]:
    """The ``source`` of every dataclass within."""
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        found = getattr(thing, "source", None)
        if isinstance(found, str):
            yield found
        for field in dataclasses.fields(thing):
            yield from of_data(getattr(thing, field.name))
    elif isinstance(thing, dict):
        for value in thing.values():
            yield from of_data(value)
    elif isinstance(thing, (tuple, list)):
        for value in thing:
            yield from of_data(value)


def every_source() -> set[str]:
    found = set(of_data(list(PROFILES.values())))
    for info in pkgutil.walk_packages(marketplace.__path__, "marketplace."):
        if ".rules" in info.name:
            module = importlib.import_module(info.name)
            found |= set(of_data([value for name, value in vars(module).items() if not name.startswith("__")]))
    for folder, pattern in (("marketplace", "*.py"), ("templates", "*.html")):
        for path in (ROOT / folder).rglob(pattern):
            found |= {text for text in WRITTEN.findall(path.read_text(encoding="utf-8")) if CJK.search(text)}
    return found - {""}


def test_every_source_has_its_english() -> None:
    sources = every_source()
    assert len(sources) > 80
    left = {source: in_english(source) for source in sources if CJK.search(NAMED.sub("", in_english(source)))}
    assert left == {}


def test_every_source_is_chinese_on_a_chinese_page() -> None:
    assert [source for source in every_source() if "art" in in_chinese(source)] == []


@pytest.mark.parametrize(
    ("source", "chinese", "english"),
    [
        ("网拍规定 art. 20", "网拍规定第 20 条", "Judicial online sale rules (网拍规定) art. 20"),
        ("网拍规定 art. 19, 21", "网拍规定第 19、21 条", "Judicial online sale rules (网拍规定) arts. 19, 21"),
        ("拍变规定第 14 条", "拍变规定第 14 条", "Rules on auction and sale in enforcement (拍变规定) art. 14"),
        (
            "平台规则（参照网拍规定 art. 24）",
            "平台规则（参照网拍规定第 24 条）",
            "Platform rule (following Judicial online sale rules (网拍规定) art. 24)",
        ),
        ("细则 arts. 103-105", "细则第 103–105 条", "Implementing rules of the Patent Law (细则) arts. 103–105"),
        ("经银行书面同意，见公告", "经银行书面同意，见公告", "经银行书面同意，见公告"),
        ("<b>拍卖法 art. 30</b>", "<b>拍卖法第 30 条</b>", "<b> Auction Law (拍卖法) art. 30</b>"),
    ],
)
def test_a_source_reads_in_both_languages(source: str, chinese: str, english: str) -> None:
    assert in_chinese(source) == chinese and in_english(source) == english


def test_every_text_of_the_profiles_has_its_english() -> None:
    """Warnings, contents of the notice, who may not bid, and the documents that complete a sale."""
    english = {m.id: m.string for m in load("auctions") if m.id}
    texts = set()
    for profile in PROFILES.values():
        texts |= {item.text_zh for item in (*profile.warnings, *profile.notice_items, *profile.may_not_bid)}
        texts |= {name for stage in profile.documents if stage.stage == "completion" for name in stage.names_zh}
    assert [text for text in sorted(texts) if not english.get(text)] == []


def test_laws_are_named_once() -> None:
    assert len(set(LAWS.values())) == len(LAWS) - 1  # 细则 is the short name of 专利法实施细则
