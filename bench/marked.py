"""Measured tables put into docs/search.md, between two marks, with the day and the machine."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "search.md"


def machine() -> str:
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    kind = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"Measured on {day}, {os.cpu_count()} cores, {kind}."


def write(name: str, text: str, document: Path = DOCUMENT) -> None:
    """What stands between ``<!-- name -->`` and ``<!-- /name -->`` becomes the text."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = document.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{document} has no place marked {begin} … {end}")
    document.write_text(f"{before}{begin}\n{machine()}\n\n{text}\n{end}{after}", encoding="utf-8")
