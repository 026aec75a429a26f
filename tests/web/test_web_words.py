"""Every code that the journal, the deadline table or an approval can show to a user has plain words.

The codes are read from the source itself, so that a new one without words is found here. One that is put together
while the program runs stands in ``PUT_TOGETHER`` with all it can become.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import marketplace
from marketplace import Zhiliu
from marketplace.core import approvals, deadlines
from marketplace.listings.models import LISTING_STATES
from marketplace.money.texts import APPROVALS, PAYOUT_PURPOSES
from marketplace.web import desk, words

ROOT = Path(marketplace.__file__).parent
SOURCES = sorted(p for p in ROOT.rglob("*.py") if "demo" not in p.parts)
PUT_TOGETHER = {
    "kind": {"case.right_added", "case.right_edited"},
    "f'case.{target}'": {"case.listed", "case.closed", "case.approved"},
    "f'listing.{target}'": {f"listing.{s}" for s in ("published", "suspended", "withdrawn", "closed")},
    "f'listing.objection_{row.state}'": {f"listing.objection_{s}" for s in ("under_review", "rejected", "upheld")},
    "f'qualification.{row.state}'": {"qualification.confirmed", "qualification.refused"},
    "f'preemption.{row.state}'": {"preemption.confirmed", "preemption.refused"},
    "f'payout.paid.{payout.purpose}'": {f"payout.paid.{purpose}" for purpose in PAYOUT_PURPOSES},
    # approvals are put together from their own words by the desk
    "f'approval.requested.{kind}'": set(),
    "f'approval.{row.state}.{row.kind}'": set(),
}


def calls(name: str, least: int = 3) -> Iterator[ast.Call]:
    """Every call of a function with this name in the source that has at least so many arguments."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and len(node.args) >= least:
                called = node.func
                if name == (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)):
                    yield node


def texts(node: ast.expr) -> set[str]:
    """What an argument can be: a text, one of two texts, or what ``PUT_TOGETHER`` says."""
    if isinstance(node, ast.Constant):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return texts(node.body) | texts(node.orelse)
    return PUT_TOGETHER[ast.unparse(node)]


RECORDED = sorted(set().union(*(texts(call.args[0]) for call in calls("record"))))


def test_the_search_finds_what_is_recorded() -> None:
    assert len(RECORDED) > 100 and {"lot.opened", "import.started", "deposit.held"} <= set(RECORDED)


@pytest.mark.parametrize("kind", RECORDED)
def test_every_journal_kind_has_words(kind: str) -> None:
    assert kind in words.EVENT_TEXT


def test_no_words_are_left_over() -> None:
    assert sorted(set(words.EVENT_TEXT) - set(RECORDED)) == []


def test_every_deadline_kind_has_words(app: Zhiliu) -> None:
    real = {kind for kind in deadlines.kinds() if not kind.startswith("test.")}
    assert real == set(words.DEADLINE_TEXT)


def test_every_approval_kind_has_words(app: Zhiliu) -> None:
    real = {kind for kind in approvals._acts if not kind.startswith("test.")}
    assert real == set(words.APPROVAL_TEXT)
    assert set(APPROVALS) <= real


def test_every_subject_has_words() -> None:
    used = {
        call.args[1].value
        for name in ("record", "schedule", "request")
        for call in calls(name)
        if isinstance(call.args[1], ast.Constant)
    }
    assert len(used) > 10
    assert sorted(used - set(words.SUBJECT_TEXT)) == []


def test_every_page_of_a_subject_exists(app: Zhiliu) -> None:
    for subject, endpoints in words.SUBJECT_PAGES.items():
        for endpoint in endpoints:
            assert endpoint in app.view_functions, (subject, endpoint)


def test_an_approval_in_the_journal_is_told_by_its_own_words(app: Zhiliu) -> None:
    assert desk.event_words("approval.requested.money.confirm_line") == "申请复核 · 确认到账"
    assert set(LISTING_STATES) >= {"published", "suspended", "withdrawn", "closed"}
