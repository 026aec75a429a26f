"""Every number in the real records beside the repository is read."""

import csv
import json
import os
from pathlib import Path

import pytest

from marketplace.rights.rules.kinds import Kind
from marketplace.rights.rules.numbers import parse_number

RECORDS = Path(os.environ.get("ZHILIU_RECORDS") or Path(__file__).parents[4] / "shared" / "data")
pytestmark = [
    pytest.mark.records,
    pytest.mark.skipif(
        not RECORDS.is_dir() and not os.environ.get("ZHILIU_NO_SKIPS"), reason=f"no real records at {RECORDS}"
    ),
]
BY_LETTER = {"A": Kind.PATENT_APPLICATION, "B": Kind.INVENTION_PATENT, "U": Kind.UTILITY_MODEL}


def test_every_chinese_publication_is_read_without_a_warning():
    seen = set()
    with open(RECORDS / "patents_cn_titles.csv", encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            text = row["publication_no"]
            number = parse_number(BY_LETTER[text[-1]], text)
            assert (number.canonical, number.warnings) == (text, ())
            seen.add(number.canonical)
    assert len(seen) > 9_000


def test_every_patent_record_is_read():
    count = 0
    with open(RECORDS / "patents.jsonl", encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            kind = Kind.DESIGN_PATENT if record["kind"] == "design" else Kind.PATENT_APPLICATION
            number = parse_number(kind, record["id"])
            assert number.canonical == record["id"]
            assert number.warnings == (() if record["country"] == "CN" else ("number.foreign",))
            count += 1
    assert count > 10_000


def test_every_software_record_is_read():
    with open(RECORDS / "software_works.jsonl", encoding="utf-8") as file:
        for line in file:
            text = json.loads(line)["id"]
            assert parse_number(Kind.SOFTWARE_COPYRIGHT, text).canonical == text
