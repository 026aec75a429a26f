"""Every code that the journal, the deadline table or an approval can show to a user has plain words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from marketplace import Zhiliu
from marketplace.core import approvals, deadlines
from marketplace.web import words

SOURCES = [p for p in Path("marketplace").rglob("*.py") if "demo" not in p.parts]
# journal kinds as they stand in the source: record("lot.opened", …)
RECORDED = re.compile(r"""\brecord\(\s*["']([a-z_]+\.[a-z_.]+)["']""")


@pytest.fixture
def kinds_recorded(app: Zhiliu) -> set[str]:
    root = Path(app.root_path).parent
    return {kind for path in SOURCES for kind in RECORDED.findall((root / path).read_text(encoding="utf-8"))}


def test_every_deadline_kind_has_words(app: Zhiliu) -> None:
    missing = [kind for kind in deadlines.kinds() if kind not in words.DEADLINE_TEXT and not kind.startswith("test.")]
    assert missing == []


def test_every_approval_kind_has_words(app: Zhiliu) -> None:
    missing = [kind for kind in approvals._acts if kind not in words.APPROVAL_TEXT and not kind.startswith("test.")]
    assert missing == []


def test_every_journal_kind_has_words(kinds_recorded: set[str]) -> None:
    assert sorted(kinds_recorded - set(words.EVENT_TEXT)) == []


def test_every_page_of_a_subject_exists(app: Zhiliu) -> None:
    for subject, endpoints in words.SUBJECT_PAGES.items():
        assert any(endpoint in app.view_functions for endpoint in endpoints), subject
