"""What a reader types is understood, whatever it is."""

from __future__ import annotations

import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from search import analysis, language
from search.language import Clause, Parsed, parse
from search.query import LONGEST_TEXT


def ranked(parsed: Parsed) -> list[str]:
    return [" ".join(clause.tokens) for clause in (*parsed.should, *parsed.lift) if clause.weight >= 0.6]


def phrases(parsed: Parsed) -> list[str]:
    return [" ".join(clause.tokens) for group in parsed.must for clause in group]


def test_words_and_runs_rank():
    parsed = parse("锂电池 Cathodes 膜")
    assert [clause.tokens[0] for clause in parsed.should if clause.weight == 1] == ["锂电", "电池", "cathod", "膜"]
    assert [clause.tokens[0] for clause in parsed.lift] == ["锂", "电", "池"]


def test_wide_traditional_and_taiwan_writing_is_the_same_question():
    assert ranked(parse("滑鼠與網路 ＡＩ")) == ranked(parse("鼠标与网络 AI"))


def test_quoted_words_must_follow_each_other():
    parsed = parse("“深度学习” 芯片")
    assert phrases(parsed) == ["深度 度 度学 学 学习"]
    assert "芯片" in ranked(parsed) and "深度" in ranked(parsed)


def follows(row: tuple[str, ...], stream: list[str]) -> bool:
    return any(tuple(stream[at : at + len(row)]) == row for at in range(len(stream)))


PIECES = st.lists(st.sampled_from(["电", "池", " a ", " 5g ", " "]), max_size=6).map("".join)


@given(PIECES, PIECES)
def test_a_row_without_the_characters_at_its_ends_is_found_in_the_same_texts(words: str, text: str):
    row = tuple(analysis.stream(words).split())
    assume(row)
    stream = analysis.stream(text).split()
    assert follows(language._row_of(row), stream) == follows(row, stream)


@pytest.mark.parametrize("text", ['"lithium battery', 'lithium battery"', "“lithium battery", "lithium「battery"])
def test_a_quote_that_does_not_end_quotes_nothing(text: str):
    parsed = parse(text)
    assert parsed.must == () and ranked(parsed) == ["lithium", "batteri"]


def test_minus_excludes_but_not_before_a_digit_or_inside_a_word():
    parsed = parse("电池 -铅酸 -40℃ lithium-ion")
    assert [clause.tokens for clause in parsed.must_not] == [("铅酸",)]
    assert {"40", "lithium", "ion"} <= set(ranked(parsed))


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("ipc:g06f16/30", {"ipc": ("G06F16/30",)}),
        ("IPC：H01M 电池", {"ipc": ("H01M",)}),
        ("分类号:H", {"ipc": ("H",)}),
        ("号: ZL 2017 1 0601862.3", {"number": ("201710601862", "ZL2017106018623")}),
        ("號:123", {"number": ("123",)}),
        ("number:2020SR0109251", {"number": ("2020SR109251", "2020SR0109251")}),
    ],
)
def test_values_behind_a_prefix(text: str, filters: dict):
    assert parse(text).filters == filters


def test_text_behind_a_prefix():
    parsed = parse("申請人:华为 title:“fuel cells” 摘要:电池")
    assert parsed.must == (
        (Clause(("华为",), field="applicant"),),
        (Clause(("fuel", "cell"), field="title"),),
        (Clause(("电池",)),),
    )


def test_a_minus_before_a_prefix():
    parsed = parse("电池 -ipc:H01M -申请人:华为")
    assert parsed.without == {"ipc": ("H01M",)}
    assert parsed.must_not == (Clause(("华为",), field="applicant"),)


def test_names_stand_for_values_and_unknown_ones_are_text():
    names = {"region": {"湖北": "420000"}}
    assert parse("地区:湖北", names=names).filters == {"region": ("420000",)}
    unknown = parse("地区:火星", names=names)
    assert unknown.filters == {} and "火星" in ranked(unknown)


@pytest.mark.parametrize("text", ["foo:bar", "ipc:电池", "http://example.com/x", "title:", "比例1:2"])
def test_what_is_no_prefix_is_text(text: str):
    parsed = parse(text)
    assert not parsed.filters and not parsed.must and parsed.should


def test_a_number_is_found_first_and_its_spaces_make_no_words():
    parsed = parse("ZL 2017 1 0601862.3 电池")
    assert parsed.numbers == ("201710601862",)
    assert ranked(parsed) == ["电池", "电", "池"]


def test_synonyms_count_less():
    parsed = parse("lithium battery recycling")
    others = {clause.tokens: clause.weight for clause in parsed.should if clause.weight < 1}
    assert others[("lithium", "ion", "batteri")] == round(language.SYNONYM_WEIGHT * 2 / 3, 3)
    assert others[("锂电", "电", "电池")] == round(language.SYNONYM_WEIGHT * 2 / 3, 3)


def test_given_synonyms_join_the_own_ones():
    parsed = parse("锂电池", (("锂电池", "动力电芯"), ("", "x" * 500)))
    assert ("动力", "力", "力电", "电", "电芯") in [clause.tokens for clause in parsed.should]
    assert Clause(("lithium", "batteri"), language.SYNONYM_WEIGHT) in parsed.should


def test_every_word_with_its_synonyms_when_all_are_wanted():
    parsed = parse("一种锂电池的回收方法 for recycling")
    heads = [" ".join(group[0].tokens) for group in parsed.every]
    assert heads == ["锂电 电 电池", "回收", "方法", "recycl"]
    assert ("lithium", "batteri") in [clause.tokens for clause in parsed.every[0]]


def test_words_of_the_patent_form_rank_and_find_nothing_beside_others():
    parsed = parse("石墨烯散热装置 cooling method")
    assert {"装置", "method"} <= {clause.tokens[0] for clause in parsed.lift}
    assert {"散热", "cool"} <= {clause.tokens[0] for clause in parsed.should}
    assert not {"装置", "method"} & {clause.tokens[0] for clause in parsed.should}
    assert {clause.tokens[0] for clause in parse("方法 装置").should} == {"方法", "装置"}


def test_stop_words_rank_only_alone():
    assert ranked(parse("the valve of a pump")) == ["valv", "pump"]
    assert ranked(parse("of the")) == ["of", "the"]


@pytest.mark.parametrize("text", ["", " ", "\x00\x07", "***", "?*?", "“”", '""', "-", "--", ":", "　", "\ufeff\u202e"])
def test_nothing_is_asked(text: str):
    assert parse(text).empty


def test_what_links_words_is_no_word():
    assert ranked(parse("vehicles, e.g. trams, i.e., rails etc.")) == ["vehicl", "tram", "rail"]
    assert phrases(parse('"e.g. trams"')) == ["e g tram"]


def test_taiwan_wording_is_mapped_in_its_own_script_only():
    assert parse("檔案與程序").text == "文件与进程"
    assert parse("文件与程序").text == "文件与程序"
    assert ("鼠标",) in [clause.tokens for clause in parse("滑鼠").should]


def test_only_what_must_not_be_there():
    parsed = parse("-电池")
    assert not parsed.empty and not parsed.should


def test_a_long_text_is_cut_and_bounded():
    parsed = parse("电池管理系统与充电 " * 2_000)
    assert parsed.cut and len(parsed.text) <= LONGEST_TEXT
    many = parse(" ".join(f"w{n}" for n in range(400)) + "".join(chr(0x4E00 + n) for n in range(400)))
    assert len(many.should) <= language.MOST_TERMS + language.MOST_ALTERNATIVES


strange = st.text(
    alphabet=st.one_of(
        st.sampled_from('"“”「」-:：号 ipc申请人title*?()[]{}\\/^~!&|+AND OR NOT\x00\u202e0123456789ZLX锂电池的'),
        st.characters(),
    ),
    max_size=700,
)


@given(strange)
@settings(max_examples=300)
def test_no_text_is_an_error_and_every_question_is_bounded(text: str):
    parsed = parse(text)
    assert len(parsed.should) <= language.MOST_TERMS + language.MOST_ALTERNATIVES
    assert max(len(parsed.must), len(parsed.every)) <= language.MOST_REQUIRED
    assert len(parsed.must_not) <= language.MOST_EXCLUDED
    groups = [(clause,) for clause in (*parsed.should, *parsed.must_not)] + [*parsed.must, *parsed.every]
    for group in groups:
        assert group
        for clause in group:
            assert 0 < len(clause.tokens) <= 80 and all(clause.tokens) and clause.weight > 0
    for values in (*parsed.filters.values(), *parsed.without.values()):
        assert 0 < len(values) <= language.MOST_VALUES


@given(st.lists(st.lists(st.text(max_size=60), max_size=20), max_size=10), st.text(max_size=100))
def test_no_synonym_is_an_error(groups: list, text: str):
    parse(text, tuple(tuple(group) for group in groups))


@pytest.mark.parametrize(
    "text", ['"' * 500, "-" * 500, ":" * 500, "a:" * 250, '-"' * 250, "号:" * 250, "1 " * 250, "(" * 500]
)
def test_no_text_takes_long(text: str):
    parse("warm")
    start = time.process_time()
    parse(text)
    assert time.process_time() - start < 0.25
