"""The tables of codes in docs/api.md, read so that tests hold them against the code."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()
_CODE = re.compile(r"`([a-z][a-z0-9_.]*\*?)`")


def _table(title: str) -> list[list[str]]:
    """The cells of the first table under a heading."""
    part = TEXT.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


#: Codes that any operation may answer.
GENERAL = [code for row in _table("Errors of every operation") for code in _CODE.findall(row[1])]
#: Codes by operation (``POST /rights``).
ROWS = {row[0].strip("`"): _CODE.findall(row[2]) for row in _table("Operations")}


def documented(label: str, code: str) -> bool:
    return any(fnmatchcase(code, known) for known in (*GENERAL, *ROWS.get(label, [])))
