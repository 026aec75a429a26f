"""Numbers of rights, in every common writing."""

import unicodedata
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from marketplace.rights.rules.kinds import KINDS, Kind
from marketplace.rights.rules.number_types import FAMILIES, REFUSALS, WARNINGS
from marketplace.rights.rules.numbers import (
    NumberRefused,
    candidates,
    check_digit,
    guess_kind,
    parse_number,
    parse_record_number,
    parse_uscc,
)

# domain 2.8, worked examples
PATENTS = [
    "201710601862.3",
    "95115608.X",
    "97101765.4",
    "202110344405.7",
    "202110144836.9",
    "201810861934.2",
    "201410264351.3",
    "202010123456.2",
]


def refusal(kind, text, **more):
    with pytest.raises(NumberRefused) as caught:
        parse_number(kind, text, **more)
    assert caught.value.message  # the template takes its params
    return caught.value


@pytest.mark.parametrize("number", PATENTS)
def test_check_digit_of_real_patents(number):
    assert check_digit(number[:-2]) == number[-1]
    assert parse_number(Kind.INVENTION_PATENT, number).canonical == number


@pytest.mark.parametrize("digits", ["", "1234567", "2020101234567", "2020101２3456", "abcdefgh"])
def test_check_digit_needs_eight_or_twelve_digits(digits):
    with pytest.raises(ValueError, match="8 or 12"):
        check_digit(digits)


def test_the_frequent_made_up_number_is_refused_and_told_its_digit():
    error = refusal(Kind.INVENTION_PATENT, "202010123456.7")
    assert error.code == "patent.check_digit"
    assert error.params == {"found": "7", "expected": "2"}


@pytest.mark.parametrize(
    "writing",
    [
        "ＺＬ２０１７１０６０１８６２．３",
        "专利号：ZL 2017 1 0601862. 3",
        "ZL 2017 1 0601862.3号",
        "zl201710601862.3",
        "CN201710601862.3",
        "CN 2017106018623",
        "2017106018623",
        "2017-1-0601862-3",
        "201710601862。3",
        "201710601862·3",
        "申请号:201710601862.3",
        "（专利号）201710601862.3",
        "Patent No. ZL201710601862.3",
        "No201710601862.3",
        "No. 201710601862.3",
        "№ 201710601862.3",
        '="2017106018623"',
        "'201710601862.3",
        "\u200b\ufeff201710601862.3\u00a0",
        "201710601862.3\n",
        "CNZL201710601862.3",
    ],
)
def test_many_writings_of_one_patent_number(writing):
    assert parse_number(Kind.INVENTION_PATENT, writing).canonical == "201710601862.3"
    assert guess_kind(writing) == "cn_patent"


@pytest.mark.parametrize("writing", ["ZL95115608.x", "95115608X", "CN95115608Ｘ", "95115608.×", "95115608.\u0445"])
def test_old_number_with_check_sign_x(writing):
    number = parse_number(Kind.INVENTION_PATENT, writing)
    assert (number.canonical, number.display) == ("95115608.X", "ZL95115608.X")
    assert number.facts["year"] == 1995


def test_zl_is_shown_only_for_granted_patents():
    assert parse_number(Kind.INVENTION_PATENT, "201710601862.3").display == "ZL201710601862.3"
    application = parse_number(Kind.PATENT_APPLICATION, "201710601862.3")
    assert (application.display, application.warnings) == ("201710601862.3", ())
    assert parse_number(Kind.PATENT_APPLICATION, "ZL201710601862.3").warnings == ("patent.zl_on_application",)


def patent_number(year, type_digit, serial):
    digits = f"{year}{type_digit}{serial:07d}"
    return f"{digits}.{check_digit(digits)}"


patents = st.builds(patent_number, st.integers(2003, 2026), st.sampled_from("12389"), st.integers(0, 9_999_999))
old_patents = st.builds(
    lambda year, kind, serial: (d := f"{year % 100:02d}{kind}{serial:05d}") + "." + check_digit(d),
    st.integers(1985, 2003),
    st.sampled_from("12389"),
    st.integers(0, 99_999),
)


@st.composite
def writings(draw, numbers):
    """A number, and the same written with prefix, label, separators and wide signs."""
    number = draw(numbers)
    text = draw(st.sampled_from(["", "ZL", "CN", "zl ", "Cn "])) + number
    if draw(st.booleans()):
        text = text.replace(".", draw(st.sampled_from([" . ", "．", "。", "-", ""])))
    if draw(st.booleans()):
        gap = draw(st.sampled_from([" ", "-", "\u3000", "\u00a0", "－"]))
        at = draw(st.integers(3, 8))
        text = text[:at] + gap + text[at:]
    if draw(st.booleans()):
        text = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    text = draw(st.sampled_from(["", "专利号：", "申请号:", "专利申请号 ", "No. ", "\ufeff"])) + text
    return number, draw(st.sampled_from([text, text.lower(), f" {text}\t"]))


@given(writings(patents | old_patents))
def test_any_writing_gives_the_canonical_number(pair):
    number, text = pair
    assert parse_number(Kind.PATENT_APPLICATION, text).canonical == number


@given(patents | old_patents, st.data())
def test_reading_the_canonical_and_the_display_form_changes_nothing(number, data):
    parsed = parse_number(Kind.PATENT_APPLICATION, number)
    assert parse_number(Kind.PATENT_APPLICATION, parsed.canonical) == parsed
    assert parse_number(Kind.PATENT_APPLICATION, parsed.display).canonical == parsed.canonical


@given(patents | old_patents, st.data())
def test_one_wrong_digit_is_always_refused(number, data):
    at = data.draw(st.sampled_from([i for i, sign in enumerate(number) if sign != "."]))
    allowed = "0123456789X" if at == len(number) - 1 else "0123456789"
    wrong = data.draw(st.sampled_from([d for d in allowed if d != number[at]]))
    with pytest.raises(NumberRefused):
        parse_number(Kind.PATENT_APPLICATION, number[:at] + wrong + number[at + 1 :])


@example("A\u200b\u0304", Kind.DATA_RIGHT)
@example("A \u0304", Kind.DATA_RIGHT)
@given(st.text(max_size=60), st.sampled_from(list(Kind)))
def test_any_text_is_read_or_refused_with_a_known_code(text, kind):
    try:
        number = parse_number(kind, text)
    except NumberRefused as error:
        assert error.code in REFUSALS
        assert error.message
    else:
        assert number.kind_family in FAMILIES
        assert set(number.warnings) <= set(WARNINGS)
        assert number.canonical == unicodedata.normalize("NFKC", number.canonical)
    candidates(text)


@given(st.text("()[]《》AB1号 .", max_size=12))
def test_a_free_number_read_again_is_the_same(text):
    try:
        number = parse_number(Kind.DATA_RIGHT, text)
    except NumberRefused:
        return
    assert parse_number(Kind.DATA_RIGHT, number.display).canonical == number.canonical


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "number.empty"),
        (None, "number.empty"),
        (" \u200b ", "number.empty"),
        (")(", "number.empty"),
        ("一种方法", "number.unreadable"),
        ("ABC", "number.unreadable"),
        ("9" * 201, "number.too_long"),
        ("ZL201710601862.3、ZL202110344405.7", "number.several"),
        ("ZL201710601862.3\nZL202110344405.7", "number.several"),
        ("ZL201710601862.3 ZL202110344405.7", "number.several"),
        ("201710601862.3 202110344405.7", "patent.length"),
        ("201710601862", "patent.check_digit_missing"),
        ("ZL95115608", "patent.check_digit_missing"),
        ("20171060186.3", "patent.length"),
        ("2017106018.3", "patent.length"),
        ("199910601862.3", "patent.year"),
        ("201740601862.3", "patent.type"),
        ("114081026", "publication.unmarked"),
        ("CN1140810261A", "publication.length"),
        ("٢٠١٧١٠٦٠١٨٦٢٣", "number.characters"),
        ("2020SR0109251", "number.other_kind"),
        ("软著登字第1234567号", "number.other_kind"),
    ],
)
def test_refused_patent_numbers(text, code):
    assert refusal(Kind.INVENTION_PATENT, text).code == code


def test_a_number_from_a_coming_year_is_refused_when_today_is_given():
    number = patent_number(2031, "1", 123)
    assert refusal(Kind.INVENTION_PATENT, number, today=date(2026, 1, 1)).code == "patent.year"
    assert parse_number(Kind.INVENTION_PATENT, number).facts["year"] == 2031


def test_type_digit_must_fit_the_kind():
    assert refusal(Kind.UTILITY_MODEL, "201710601862.3").code == "patent.type_mismatch"
    assert parse_number(Kind.UTILITY_MODEL, patent_number(2020, "9", 1)).facts["pct"] is True


@pytest.mark.parametrize(
    ("kind", "text", "canonical", "warnings"),
    [
        (Kind.PATENT_APPLICATION, "CN109034985A", "CN109034985A", ()),
        (Kind.PATENT_APPLICATION, "cn 104008308 a", "CN104008308A", ()),
        (Kind.UTILITY_MODEL, "CN201649203U", "CN201649203U", ()),
        (Kind.UTILITY_MODEL, "授权公告号：CN2746010Y", "CN2746010Y", ()),
        (Kind.INVENTION_PATENT, "109034985B", "CN109034985B", ()),
        (Kind.INVENTION_PATENT, "CN109034985B8", "CN109034985B8", ()),
        (Kind.INVENTION_PATENT, "CN109034985A", "CN109034985A", ("publication.application_only",)),
        (Kind.INVENTION_PATENT, "CN109034985", "CN109034985", ("publication.kind_letter_missing",)),
        (Kind.INVENTION_PATENT, "CN201649203U", "CN201649203U", ("publication.kind_mismatch",)),
        (Kind.INVENTION_PATENT, "CN209034985B", "CN209034985B", ("publication.first_digit",)),
        (Kind.INVENTION_PATENT, "CN109034985Q", "CN109034985Q", ("publication.kind_letter_unknown",)),
        (Kind.INVENTION_PATENT, "CN85100041B", "CN85100041B", ("publication.length_unconfirmed",)),
        (Kind.INVENTION_PATENT, "ZL109034985B", "CN109034985B", ("publication.zl_prefix",)),
    ],
)
def test_publication_numbers(kind, text, canonical, warnings):
    number = parse_number(kind, text)
    assert (number.kind_family, number.canonical, number.warnings) == ("cn_publication", canonical, warnings)


def test_publication_and_application_numbers_never_share_a_canonical_form():
    application = parse_number(Kind.PATENT_APPLICATION, "CN951156" + "08X")
    publication = parse_number(Kind.PATENT_APPLICATION, "CN195115608A")
    assert (application.kind_family, publication.kind_family) == ("cn_patent", "cn_publication")
    assert "." in application.canonical and publication.canonical.startswith("CN")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("US 7,123,456 B2", "US7123456B2"),
        ("US Patent No. 7,123,456", "US7123456"),
        ("US07123456B2", "US7123456B2"),
        ("US 2019/0123456 A1", "US20190123456A1"),
        ("US2019123456A1", "US20190123456A1"),
        ("USD515,086 S1", "USD515086S1"),
        ("USRE39501E1", "USRE39501E1"),
        ("EP 1 234 567 B1", "EP1234567B1"),
        ("WO 2020/123456 A1", "WO2020123456A1"),
        ("PCT/CN2020/123456", "PCTCN2020123456"),
        ("特开JP2020-123456A", "JP2020123456A"),
    ],
)
def test_foreign_patents_are_kept_with_a_warning(text, canonical):
    number = parse_number(Kind.INVENTION_PATENT, text)
    assert (number.canonical, number.warnings) == (canonical, ("number.foreign",))


@pytest.mark.parametrize(
    ("kind", "text", "canonical", "warnings"),
    [
        (Kind.SOFTWARE_COPYRIGHT, "2015SR229355", "2015SR229355", ()),
        (Kind.SOFTWARE_COPYRIGHT, "登记号：2020sr 0109251", "2020SR0109251", ()),
        (Kind.SOFTWARE_COPYRIGHT, "2021SR1055071", "2021SR1055071", ()),
        (Kind.SOFTWARE_COPYRIGHT, "软著登字第 1234567 号", "软著登字第1234567号", ("software.certificate",)),
        (Kind.SOFTWARE_COPYRIGHT, "NASA-SW-GSC-12345-1A", "NASA-SW-GSC-12345-1A", ("number.foreign",)),
        (Kind.PLANT_VARIETY, "CNA20191006012", "CNA20191006012", ()),
        (Kind.PLANT_VARIETY, "品种权号 cna 2019 1003728", "CNA20191003728", ()),
        (Kind.PLANT_VARIETY, "20191001453", "CNA20191001453", ("plant.application",)),
        (Kind.PLANT_VARIETY, "CNA20070123.4", "CNA20070123.4", ("number.format_unconfirmed",)),
        (Kind.PLANT_VARIETY, "20220001", "PVF-20220001", ("number.format_unconfirmed",)),
        (Kind.IC_LAYOUT, "BS.205001234", "BS.205001234", ("number.format_unconfirmed",)),
        (Kind.IC_LAYOUT, "bs205001234", "BS.205001234", ("number.format_unconfirmed",)),
        (Kind.TRADEMARK, "第１２３４５６７８号 第9类", "TM-12345678", ()),
        (Kind.TRADEMARK, "商标注册号：0123456", "TM-123456", ()),
        (Kind.TRADEMARK, "12345678A", "TM-12345678A", ()),
        (Kind.COLLECTIVE_MARK, "国际注册第G1234567号", "TM-G1234567", ()),
        (Kind.CERTIFICATION_MARK, "123456789012", "TM-123456789012", ("number.format_unconfirmed",)),
        (Kind.DATA_RIGHT, "浙数登 2023-0001 号", "DATA-浙数登2023-0001号", ("number.format_unconfirmed",)),
        (Kind.DATA_RIGHT, "（2023）数登字第1号", "DATA-(2023)数登字第1号", ("number.format_unconfirmed",)),
        (Kind.DATA_RIGHT, "【数登(1)】.", "DATA-数登(1)", ("number.format_unconfirmed",)),
        (Kind.DATA_RIGHT, "(数登1)(2", "DATA-(数登1)(2", ("number.format_unconfirmed",)),
        (Kind.DATA_RIGHT, "数登1)", "DATA-数登1", ("number.format_unconfirmed",)),
        (Kind.DATA_RIGHT, "(数登1", "DATA-数登1", ("number.format_unconfirmed",)),
        (Kind.TRADE_SECRET, "商密3号（甲）", "SECRET-商密3号(甲)", ("number.no_register",)),
        (Kind.TRADE_SECRET, "配方一", "SECRET-配方一", ("number.no_register",)),
    ],
)
def test_numbers_of_other_registers(kind, text, canonical, warnings):
    number = parse_number(kind, text)
    assert (number.canonical, number.warnings) == (canonical, warnings)


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        (Kind.SOFTWARE_COPYRIGHT, "2020SR10925", "software.format"),
        (Kind.SOFTWARE_COPYRIGHT, "2020SR01092511", "software.format"),
        (Kind.SOFTWARE_COPYRIGHT, "1020SR0109251", "software.year"),
        (Kind.SOFTWARE_COPYRIGHT, "ZL201710601862.3", "number.other_kind"),
        (Kind.PLANT_VARIETY, "CNA2019100601", "plant.length"),
        (Kind.PLANT_VARIETY, "CNA00191006012", "plant.year"),
        (Kind.TRADEMARK, "12345678 第46类", "trademark.class"),
        (Kind.TRADEMARK, "201710601862.3", "number.other_kind"),
        (Kind.TRADEMARK, "红星", "number.unreadable"),
        (Kind.IC_LAYOUT, "BS", "number.unreadable"),
    ],
)
def test_refused_numbers_of_other_registers(kind, text, code):
    assert refusal(kind, text).code == code


def test_the_nice_class_of_a_mark_is_a_fact_not_part_of_the_number():
    assert parse_number(Kind.TRADEMARK, "12345678（第35类）").facts == {"nice_class": 35}


def test_recordal_numbers_only_warn():
    assert parse_record_number("pledge", "y2022420000123").canonical == "Y2022420000123"
    assert parse_record_number("licence", "X2022420000123").canonical == "X2022420000123"
    assert parse_record_number("pledge", "2022420000123").canonical == "PLEDGE-2022420000123"
    odd = parse_record_number("pledge", "鄂质 12")
    assert (odd.display, odd.warnings) == ("鄂质 12", ("number.format_unconfirmed",))
    assert parse_record_number("pledge", "（2021）鄂质登字7号").display == "(2021)鄂质登字7号"
    with pytest.raises(NumberRefused):
        parse_record_number("pledge", " ")


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("12345678", "trademark"),
        ("Y2022420000123", "pledge_registration"),
        ("CNA20191006012", "plant_variety"),
        ("US7123456B2", "foreign_patent"),
        ("软著登字第123456号", "software_certificate"),
        ("G1234567", "trademark_international"),
        ("一种显示装置", None),
        ("一种5G显示装置", None),
        ("", None),
    ],
)
def test_guessing_the_family_of_a_number(text, family):
    assert guess_kind(text) == family


def test_an_eight_digit_number_may_be_a_mark_or_a_forestry_variety():
    assert [n.canonical for n in candidates("20220001")] == ["TM-20220001", "PVF-20220001"]


USCC = [
    "91110000600037341L",
    "91350100M000100Y43",
    "914403001922038216",
    "91440300708461136T",
    "91330100799655058B",
]


@pytest.mark.parametrize("code", USCC)
def test_unified_social_credit_codes(code):
    number = parse_uscc(f"统一社会信用代码：{code[:8].lower()} {code[8:].lower()}")
    assert (number.canonical, number.warnings) == (code, ())
    assert number.facts["region"] == code[2:8]


@given(st.sampled_from(USCC), st.data())
def test_one_wrong_sign_in_a_credit_code_is_refused(code, data):
    at = data.draw(st.integers(0, 17))
    wrong = data.draw(st.sampled_from([c for c in "0123456789ABCDEFGHJKLMNPQRTUWXY" if c != code[at]]))
    with pytest.raises(NumberRefused) as caught:
        parse_uscc(code[:at] + wrong + code[at + 1 :])
    assert caught.value.code in ("uscc.check_digit", "uscc.characters")


@pytest.mark.parametrize(
    ("text", "code"),
    [("9133010079965505", "uscc.length"), ("9133010079965505OB", "uscc.characters"), ("", "number.empty")],
)
def test_refused_credit_codes(text, code):
    with pytest.raises(NumberRefused) as caught:
        parse_uscc(text)
    assert caught.value.code == code


def test_every_kind_has_its_row():
    assert set(KINDS) == set(Kind)
    assert all(row.zh and row.en for row in KINDS.values())
    assert not KINDS[Kind.PATENT_APPLICATION].pledgeable
    restricted = {kind for kind, row in KINDS.items() if not row.any_bidder}
    assert restricted == {Kind.GEOGRAPHICAL_INDICATION, Kind.COLLECTIVE_MARK, Kind.CERTIFICATION_MARK}
