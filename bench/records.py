"""The real records beside the repository, read where they lie. Nothing of them is copied into it."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


class NoRecords(Exception):
    """The records are not on this machine."""


def folder(asked: str | None = None) -> Path:
    """The folder asked for, or ``ZHILIU_RECORDS``, or the one beside the repository."""
    path = Path(asked or os.environ.get("ZHILIU_RECORDS") or BESIDE)
    if not (path / "patents.jsonl").is_file():
        raise NoRecords(
            f"No records at {path}. They are not part of the repository: name their folder with --records or "
            "ZHILIU_RECORDS. It must hold patents.jsonl, patents_cn_titles.csv, divisions.csv, gbt4754.csv, ipc.csv "
            "and, for the relevance figures, relevance/topic_queries.jsonl and relevance/topic_qrels.tsv."
        )
    return path


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)
