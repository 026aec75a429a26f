"""``docs/failure-modes.md`` names tests that exist; each row has a test or says what it waits for."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ROW = re.compile(r"^\| (?!failure |---)(.+?) \| (.+) \|$", re.M)
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
ROWS = ROW.findall((ROOT / "docs" / "failure-modes.md").read_text(encoding="utf-8"))


def names_in(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    return {node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)}


def test_every_named_test_exists() -> None:
    named = [found for _failure, held in ROWS for found in NAMED.findall(held)]
    assert len(named) > 50
    assert [f"{file}::{test}" for file, test in named if test not in names_in(ROOT / "tests" / file)] == []


def test_every_failure_has_a_test_or_a_later_release() -> None:
    assert len(ROWS) > 40
    assert [failure for failure, held in ROWS if not NAMED.search(held) and not held.startswith("later: ")] == []
