"""Of trees with thousands of codes only those are counted that a page shows."""

import re

import pytest

from marketplace.discovery import trees
from search.branches import below, shown, top

CODES = {
    "ipc": ["H01M10/0525", "H01M10/06", "H01M4/00", "H01L21/02", "G06F16/33", "G06F3/01", "A01B1/00"],
    "industry": ["C2614", "C2619", "C2710", "C3911", "I6513", "A0111"],
    "region": ["420106", "420107", "420581", "430102", "110105", "110106", "310115", "500101", "441900"],
}


@pytest.mark.parametrize("scheme", trees.SCHEMES)
def test_the_top_and_what_is_below_the_opened_places_is_counted_and_nothing_else(scheme: str) -> None:
    every = {step for code in CODES[scheme] for step in trees.path(scheme, code)}
    for chosen in ([], *[[code] for code in every], CODES[scheme][:2], CODES[scheme][-2:]):
        opened = {step for code in chosen for step in trees.path(scheme, code)}
        wanted = {
            code for code in every if len(trees.path(scheme, code)) == 1 or trees.path(scheme, code)[-2] in opened
        }
        counted = re.compile(shown(scheme, trees.opened(scheme, chosen)))
        assert {code for code in every if counted.fullmatch(code)} == wanted | opened, chosen


def test_a_pattern_has_only_what_both_engines_read() -> None:
    for scheme in trees.SCHEMES:
        assert re.fullmatch(
            r"[A-Z0-9|/+\[\]-]+", shown(scheme, [*CODES[scheme], ".*", "420106|.*", "", "H01M10/00|.*"])
        )


def test_what_is_no_code_opens_nothing() -> None:
    assert below("ipc", ["", ".*", "H01M10/00|.*", "(a+)+$"]) == ""


def test_the_top() -> None:
    assert top("ipc", ["H", "H01", "H01M"]) == ["H"]
    assert top("region", ["420000", "420100"]) == ["420000"]
    assert top("bank", ["7", "8"]) == ["7", "8"]
