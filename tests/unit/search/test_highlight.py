"""The part of a text that answers a question, and what of it to mark."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.highlight import GAP, mark
from search.language import parse, words_to_try


def marked(text: str, question: str, length: int = 500) -> str:
    return "".join(f"[{piece}]" if matches else piece for piece, matches in mark(text, parse(question), length))


@pytest.mark.parametrize(
    ("text", "question", "shown"),
    [
        ("一种锂离子电池的回收方法", "电池回收", "一种锂离子[电池]的[回收]方法"),
        ("一種鋰離子電池", "锂离子电池", "一種[鋰離子電池]"),
        ("The Drivers' batteries", "driver battery", "The [Drivers]' [batteries]"),
        ("A driver's cab", "drivers", "A [driver]'s cab"),
        ("ＡＩ芯片与AI", "ai", "[ＡＩ]芯片与[AI]"),
        ("Résumé ﬁbre ½ ㍿ fibre", "resume fibre", "[Résumé] [ﬁbre] ½ ㍿ [fibre]"),
        ("lithium ion battery", "锂电池", "[lithium ion battery]"),
        ("lithium tank", "锂电池", "lithium tank"),  # a synonym matches as a whole
        ("深度的学习与深度学习", "“深度学习”", "[深度]的[学习]与[深度学习]"),
        ("泵与水泵", "泵", "[泵]与水[泵]"),
        ("单个字不标", "字典", "单个字不标"),
        ("the valve of the pump", "the valve", "the [valve] of the pump"),
        ("水泵", "", "水泵"),
        ("", "水泵", ""),
        ("水泵", "title:水泵", "[水泵]"),
        ("水泵 阀门", "水泵 -阀门", "[水泵] 阀门"),
    ],
)
def test_what_is_marked(text: str, question: str, shown: str):
    assert marked(text, question) == shown


def test_the_window_with_most_of_the_question_is_shown():
    text = "开头提到电池。" + "无关的话，" * 60 + "这里锂电池回收再生。" + "别的内容，" * 60
    shown = marked(text, "锂电池回收", 60)
    assert "[锂电池回收]" in shown and shown.startswith(GAP) and shown.endswith(GAP)
    assert len(shown) <= 60 + 2 * len(GAP) + 4


def test_a_text_without_a_match_is_shown_from_its_beginning():
    assert marked("无关的话，" * 60, "电池", 20) == "无关的话，" * 4 + GAP


def test_words_are_not_cut_in_the_middle_at_the_beginning():
    text = "some introductory sentence about nothing in particular. " * 8 + "A valve is opened. " + "and so on " * 40
    shown = marked(text, "valve", 60)
    first = shown.removeprefix(GAP).split()[0]
    assert first in text.split()


@given(st.text(max_size=400), st.text(max_size=60), st.integers(-5, 200))
def test_the_pieces_are_the_text(text: str, question: str, length: int):
    pieces = mark(text, parse(question, every=False), length)
    shown = "".join(piece for piece, _ in pieces)
    assert shown.strip(GAP).strip() in text + GAP or shown.removeprefix(GAP).removesuffix(GAP) in text
    assert all(piece for piece, _ in pieces)
    assert all(one[1] != two[1] for one, two in pairwise(pieces))


@given(st.text("电池锂回收方法abc ", max_size=300), st.text("电池锂回收abc ", max_size=20))
def test_a_whole_text_keeps_every_character(text: str, question: str):
    assert "".join(piece for piece, _ in mark(text, parse(question, every=False), 1_000)) == text


def test_a_long_text_takes_no_time():
    parsed = parse("电池 " * 100)
    mark("warm", parsed)
    start = time.process_time()
    mark("电池" * 50_000, parsed)
    assert time.process_time() - start < 1.0


def test_the_single_words_of_a_question_that_found_nothing():
    assert words_to_try("锂电池散热薄膜的 preparation of films") == ["锂电池", "散热", "薄膜", "preparation", "films"]
    assert words_to_try("水泵") == [] and words_to_try("") == [] and words_to_try("\x00*") == []
