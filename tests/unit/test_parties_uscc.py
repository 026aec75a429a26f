"""Unified social credit codes as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from marketplace.parties.locking import lock_after
from marketplace.parties.passwords import password_problem
from marketplace.parties.uscc import UsccRefused, read_uscc

CODE = "91110000600037341L"
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        CODE.lower(),
        "9111 0000 6000 3734 1L",
        "91-110000-600037341-L",
        "９１１１００００６０００３７３４１Ｌ",
        " 统一社会信用代码：91110000600037341L ",
        "91110000\u200b600037341L",
        "\u300091110000600037341l\n",
    ],
)
def test_every_common_writing_is_the_same_code(typed: str) -> None:
    assert read_uscc(typed) == CODE


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (None, "uscc.empty"),
        (" - ", "uscc.empty"),
        (CODE[:-1], "uscc.length"),
        (CODE + "0", "uscc.length"),
        ("91110000600037341M", "uscc.check_digit"),
        ("9111000060003734OL", "uscc.characters"),
        ("A1110000600037341L", "uscc.characters"),
        ("9111000060003734中L", "uscc.characters"),
    ],
)
def test_each_fault_has_its_own_code(typed: str | None, code: str) -> None:
    with pytest.raises(UsccRefused) as refused:
        read_uscc(typed)
    assert refused.value.code == code


@given(st.text(max_size=60))
def test_any_text_is_a_code_or_a_named_refusal(text: str) -> None:
    try:
        code = read_uscc(text)
    except UsccRefused as refused:
        assert refused.code in {"uscc.empty", "uscc.length", "uscc.characters", "uscc.check_digit"}
    else:
        assert uscc.is_valid(code)
        assert code == code.upper() and code.isascii() and len(code) == 18


@given(st.text("0123456789", min_size=8, max_size=8), st.text(ALPHABET, min_size=9, max_size=9), st.integers(0, 17))
def test_one_wrong_character_is_always_noticed(head: str, body: str, place: int) -> None:
    code = head + body + uscc.calc_check_digit(head + body)
    assert read_uscc(code) == code
    other = ALPHABET[(ALPHABET.index(code[place]) + 1) % len(ALPHABET)]
    with pytest.raises(UsccRefused):
        read_uscc(code[:place] + other + code[place + 1 :])


def test_locks_grow_from_a_minute_to_an_hour() -> None:
    minutes = [(wait := lock_after(n)) and wait.total_seconds() / 60 for n in range(1, 14)]
    assert minutes == [None, None, None, None, 1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password.length"),
        ("1234567890", "password.simple"),
        ("aaaaaaaaaaaa", "password.simple"),
        ("Password123!", "password.simple"),
        ("qwertyuiop", "password.simple"),
        ("zhangwei-2026", "password.has_email"),
        ("x" * 129, "password.too_long"),
        ("远山淡影与三只灰雀过河", None),
        ("correct horse battery", None),
    ],
)
def test_weak_passwords_are_named(password: str, code: str | None) -> None:
    problem = password_problem(password, "zhangwei@example.cn")
    assert (problem.code if problem else None) == code
