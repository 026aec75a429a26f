"""One text, one row of tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.analysis import BORDER, combined, fold, named, stream, streams, tokens


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("锂电池", "锂 锂电 电 电池 池"),
        ("電", "电"),
        ("鋰電池", "锂 锂电 电 电池 池"),
        ("ＡＩ芯片", "ai 芯 芯片 片"),
        ("Driver's batteries", "driver batteri"),
        ("the users’ résumé", "the user resum"),
        ("2020SR0109251 G06F16/30 5G", "2020sr0109251 g06f16 30 5g"),
        ("ﬁbre ½ ①", "fibr 1 2 1"),
        ("lithium-ion, wi-fi", "lithium ion wi fi"),
        ("バッテリー", "バ バッ ッ ッテ テ テリ リ リー ー"),
        ("", ""),
        ("，。！—", ""),
    ],
)
def test_tokens_of_a_text(text: str, made: str):
    assert stream(text) == made


def test_the_title_counts_twice_and_borders_part_the_texts():
    made = combined(streams({"title": "电池", "abstract": "a cell", "applicant": "", "claims": "x"}))
    title = "电 电池 池"
    assert made == f" {BORDER} ".join([title, title, "a cell", "x"])
    assert named(streams({"title": "电池", "title_en": "Cells"}), "title", "title_en") == f"{title} {BORDER} cell"


def test_a_very_long_text_is_read_from_its_beginning():
    assert len(combined(streams({"claims": "电" * 100_000}))) < 100_000


@given(st.text())
def test_stream_and_tokens_agree_and_never_fail(text: str):
    row = tokens(text)
    assert [token.text for token in row] == stream(text).split(" ")[: len(row)]
    assert [token.position for token in row] == list(range(len(row)))
    assert all(token.text and not token.text.isspace() and BORDER not in token.text for token in row)
    folded = fold(text)
    assert all(0 <= token.start < token.end <= len(folded) for token in row)


@given(st.text())
def test_tokens_are_parted_by_white_space_alone(text: str):
    """So an engine that parts them again sees the same row."""
    made = stream(text)
    assert made.split() == [part for part in made.split(" ") if part]


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_folding_twice_changes_nothing_more(text: str):
    assert stream(fold(text)) == stream(text)
