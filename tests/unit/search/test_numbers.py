"""Whatever way a number is written, the question and the document meet in one key."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.numbers import MOST, asked, find, forms


def meets(kept: str, text: str) -> bool:
    keys = set(forms(kept))
    return any(keys.intersection(number.keys) for number in find(unicodedata.normalize("NFKC", text)))


@pytest.mark.parametrize(
    ("kept", "writings"),
    [
        (
            "ZL201710601862.3",
            [
                "201710601862.3",
                "ＺＬ２０１７１０６０１８６２．３",
                "专利号：ZL 2017 1 0601862. 3",
                "zl201710601862.3的许可",
                "CN201710601862.3",
                "CN 2017106018623",
                "2017106018623",
                "201710601862",
                "2017-1-0601862-3",
                "201710601862·3",
                "201710601862.9",  # a slip in the check digit
                "我要找 201710601862.3 这件专利",
                "Patent No. ZL201710601862.3",
                "No201710601862.3",
                "CNZL201710601862.3",
            ],
        ),
        ("95115608.X", ["ZL95115608.X", "95115608x", "95115608.×", "ZL 95 1 15608.X", "95115608"]),
        ("97101765.4", ["ZL971017654", "97101765.4", "971017654"]),
        ("CN109034985A", ["CN109034985A", "cn109034985", "CN 109034985 B", "109034985A", "109034985", "CN109034985B8"]),
        ("CN2746010Y", ["CN2746010Y", "2746010", "CN2746010"]),
        ("2020SR0109251", ["2020SR0109251", "2020sr109251", "2020 SR 0109251", "登记号2020SR0109251号"]),
        ("2015SR229355", ["2015SR229355", "2015SR0229355"]),
        ("软著登字第0109251号", ["软著登字第0109251号", "软著登字第 109251 号", "软著登字0109251"]),
        ("CNA20191006012", ["CNA20191006012", "cna 20191006012", "20191006012", "品种权号CNA20191006012"]),
        ("CNA20070123.4", ["CNA20070123.4", "CNA20070123", "20070123"]),
        ("BS.205001234", ["BS.205001234", "BS205001234", "bs 205001234"]),
        ("TM-12345678", ["12345678", "第12345678号", "商标 12345678", "TM12345678"]),
        ("G1234567", ["G1234567", "g 1234567"]),
        ("Y2022420000123", ["Y2022420000123", "2022420000123"]),
        ("US10001996B2", ["US10001996B2", "US 10,001,996 B2", "us10001996"]),
        ("US20200123456A1", ["US2020/0123456 A1", "US 2020/123456", "US20200123456"]),
        ("EP1234567B1", ["EP 1 234 567 B1", "EP1234567"]),
        ("PCTCN2020123456", ["PCT/CN2020/123456", "pct cn 2020 123456"]),
        ("国作登字-2020-F-01234567", ["国作登字-2020-F-01234567", "国作登字2020F01234567"]),
    ],
)
def test_every_writing_meets(kept: str, writings: list[str]):
    assert [text for text in writings if not meets(kept, text)] == []


@pytest.mark.parametrize(
    ("kept", "text"),
    [
        ("ZL201710601862.3", "201710601863.3"),
        ("CN109034985A", "CN109034986A"),
        ("2020SR0109251", "2021SR0109251"),
        ("12345678", "12345679"),
        ("G1234567", "1234567"),
        ("EP1234567B1", "US1234567"),
        ("CNA20191006012", "CNA20191006013"),
        ("ZL201710601862.3", "1201710601862.3"),
        ("12345678", "abc12345678"),
    ],
)
def test_another_number_does_not_meet(kept: str, text: str):
    assert not meets(kept, text)


def test_numbers_stand_where_they_were_found():
    text = "许可 ZL 2017 1 0601862.3 与 CN109034985A 两件"
    assert [text[number.start : number.end] for number in find(text)] == ["ZL 2017 1 0601862.3", "CN109034985A"]


def test_words_are_no_numbers():
    assert find("基于 5G 的 3.5 GHz 天线 2020 年 in 2020") == []


def test_a_short_number_is_asked_behind_its_prefix():
    assert "123" in asked("第123号") and "123" in forms("123")
    assert "L2026001" in asked("L-2026-001") and "L2026001" in forms("L-2026-001")


def test_a_flood_of_numbers_is_bounded():
    assert len(find("12345678 " * 100)) == MOST


@given(st.text(max_size=300))
def test_no_text_is_too_strange(text: str):
    folded = unicodedata.normalize("NFKC", text)
    for number in find(folded):
        assert 0 <= number.start < number.end <= len(folded) and number.keys
        assert all(0 < len(key) <= 64 for key in number.keys)
    assert all(0 < len(key) <= 64 for key in (*forms(text), *asked(text)))


@given(st.text("0123456789 .,-/XZLCN", max_size=500))
def test_digits_in_any_order_are_read_quickly(text: str):
    assert len(find(text)) <= MOST
