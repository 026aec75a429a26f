"""Both languages are complete: every Chinese text has its English with the same places, and none stands outside
``_()`` in a template."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import Environment
from jinja2.lexer import TOKEN_DATA, TOKEN_STRING

from marketplace.core.cli import TEMPLATES, extract, load, rooms

CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff，。；：！？（）“”]")
PLACE = re.compile(r"%\((\w+)\)[sd]")
CALLS = {"_", "_l", "gettext", "ngettext", "pgettext", "_lp"}
# the product's name, and the names of laws, which are the same in every language
SAME_EVERYWHERE = re.compile(
    r"知流|网拍规定|拍变规定|参考价规定|拍卖法|民法典|专利法|民诉法|民诉解释|担保解释|企业国有资产法"
)
TEMPLATE_PATHS = sorted(p.relative_to(TEMPLATES).as_posix() for p in TEMPLATES.rglob("*.html"))


@pytest.mark.parametrize("room", rooms())
def test_every_text_of_the_room_has_its_english(room: str) -> None:
    english = {(m.id, m.context): m.string for m in load(room) if m.id}
    # of a text with a plural both forms are needed
    missing = [m.id for m in extract(room) if m.id and not all(english.get((m.id, m.context)) or [""])]
    assert not missing, f"{len(missing)} texts without English, first: {missing[:10]}"


@pytest.mark.parametrize("room", rooms())
def test_the_english_has_the_same_places_and_no_chinese_but_examples(room: str) -> None:
    for message in load(room):
        if not message.id or not message.string:
            continue
        pairs = zip(message.id, message.string, strict=False) if isinstance(message.id, tuple) else [
            (message.id, message.string)
        ]  # fmt: skip
        for chinese, english in pairs:
            assert set(PLACE.findall(chinese)) == set(PLACE.findall(english)), (chinese, english)
            assert chinese != english or not CJK.search(chinese), chinese


def test_a_text_has_one_english_in_every_room() -> None:
    """At run time the catalogues are one: of two translations the later room's would show on the other's pages."""
    known: dict[tuple[str | None, object], dict[object, str]] = {}
    for room in rooms():
        for message in load(room):
            if message.id and message.string:
                known.setdefault((message.context, message.id), {}).setdefault(message.string, room)
    assert {key[1]: found for key, found in known.items() if len(found) > 1} == {}


def chinese_outside(source: str) -> list[str]:
    """Chinese in a template's text, or in a string that is not an argument of a gettext call, by line."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    found: list[str] = []
    open_calls: list[bool] = []  # for each open parenthesis: does it belong to a gettext call?
    name = ""
    in_trans = False
    for line, kind, value in environment.lex(source):
        if kind == TOKEN_DATA:
            text = SAME_EVERYWHERE.sub("", value)
            if CJK.search(text) and not in_trans:
                found.append(f"{line}: {text.strip()[:40]}")
        elif kind == TOKEN_STRING:
            text = SAME_EVERYWHERE.sub("", value)
            if CJK.search(text) and not any(open_calls):
                found.append(f"{line}: {text[:40]}")
        elif kind == "operator" and value == "(":
            open_calls.append(name in CALLS)
        elif kind == "operator" and value == ")":
            open_calls.pop()
        elif kind == "name" and value in ("trans", "endtrans"):
            in_trans = value == "trans"
        if kind != "whitespace":
            name = value if kind == "name" else ""
    return found


@pytest.mark.parametrize("path", TEMPLATE_PATHS)
def test_a_template_says_nothing_in_chinese_outside_gettext(path: str) -> None:
    assert chinese_outside(Path(TEMPLATES / path).read_text(encoding="utf-8")) == []


def test_the_search_for_untranslated_chinese_finds_it() -> None:
    assert chinese_outside("<p>你好</p>") == ["1: <p>你好</p>"]
    assert chinese_outside("{{ f('标题') }}") == ["1: '标题'"]
    assert chinese_outside("{{ f(_('标题'), g(_('甲'), 1)) }}{# 注释 #}<p>{{ _('乙') }}知流</p>") == []
    assert chinese_outside("{{ _('甲') ~ '乙' }}") == ["1: '乙'"]
