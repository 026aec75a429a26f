"""Files as banks bring them: encodings, delimiters, workbooks, traps; dates; guesses of columns."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import Workbook

from marketplace.cases.imports.convert import RowReader
from marketplace.cases.imports.export import as_csv, safe_cell
from marketplace.cases.imports.file_texts import FILE_TEXTS
from marketplace.cases.reading import table, workbooks
from marketplace.cases.reading.content import read_table
from marketplace.cases.reading.dates import DateRefused, parse_date
from marketplace.cases.reading.table import REFUSALS, FileRefused

TEXT = "专利号,名称\nZL2020,“驱鸟”装置\n"


def book(*rows: list[object], sheets: int = 1) -> bytes:
    wb = Workbook()
    for row in rows:
        wb.active.append(row)
    out = io.BytesIO()
    wb.save(out)
    return out.getvalue()


def rows(content: bytes, name: str = "f.csv", **more: bool) -> list[list[str]]:
    found = read_table(content, name, **more)
    return [found.header, *(row.cells for row in found.rows)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_every_common_encoding_and_delimiter_is_read(encoding: str, sign: str) -> None:
    content = TEXT.replace(",", sign).encode(encoding)
    assert rows(content) == [["专利号", "名称"], ["ZL2020", "“驱鸟”装置"]]


def test_quotes_line_breaks_blank_and_short_rows() -> None:
    content = 'a,b,c\r\n"1,2","x\r\ny"\r\n\r\n , ,\r\n3,,"say ""hi"""\r\n'
    found = read_table(content.encode(), "f.csv")
    assert [(r.no, r.cells) for r in found.rows] == [(2, ["1,2", "x\r\ny", ""]), (5, ["3", "", 'say "hi"'])]


def test_title_lines_above_are_not_the_header_but_blank_ones_are_passed_over() -> None:
    assert rows(b"\n,,\na,b\n1,2\n")[0] == ["a", "b"]


def test_a_column_without_title_is_named_by_its_letter_and_wide_rows_are_faults() -> None:
    found = read_table(b"a,,c,\n1,2,3\n1,2,3,4\n1,2,3,\n", "f.csv")
    assert found.header == ["a", "(B)", "c"]
    assert [row.problem for row in found.rows] == [None, table.TOO_MANY_CELLS, None]


def test_a_cell_too_long_is_the_fault_of_its_row_alone() -> None:
    found = read_table(f"a,b\n1,{'x' * 40_000}\n2,y\n".encode(), "f.csv")
    first, second = found.rows
    assert first.problem == table.CELL_TOO_LONG and len(first.cells[1]) < 300
    assert second.problem is None


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def with_entry(name: str, content: bytes) -> bytes:
    out = io.BytesIO(book(["a"], ["1"]))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


def without(name: str) -> bytes:
    source, out = zipfile.ZipFile(io.BytesIO(book(["a"], ["1"]))), io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for entry in source.infolist():
            if entry.filename != name:
                archive.writestr(entry.filename, source.read(entry))
    return out.getvalue()


def with_sheet(xml: str) -> bytes:
    source, out = zipfile.ZipFile(io.BytesIO(book(["a"], ["1"]))), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in source.infolist():
            own = entry.filename == "xl/worksheets/sheet1.xml"
            archive.writestr(entry.filename, xml if own else source.read(entry))
    return out.getvalue()


SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)
CELL = '<row r="{0}"><c r="{1}{0}" t="inlineStr"><is><t>{2}</t></is></c></row>'
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    + SHEET.format(CELL.format(1, "A", "&b;"))
)
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 50

BAD_FILES = {
    "nothing": (b"", "f.csv", "file_empty"),
    "only line ends": (b"\r\n\r\n  \n", "f.csv", "file_empty"),
    "only a mark": (b"\xef\xbb\xbf", "f.csv", "file_empty"),
    "only commas": (b",,,\n,,,\n", "f.csv", "file_empty"),
    "empty workbook": (book(), "f.xlsx", "file_empty"),
    "header alone": (b"a,b\n", "f.csv", "file_no_rows"),
    "header alone in a workbook": (book(["a", "b"]), "f.xlsx", "file_no_rows"),
    "same title twice": ("名称,号码,名称\n1,2,3\n".encode(), "f.csv", "header_duplicate"),
    "same title in other case": (b"Name,NAME\n1,2\n", "f.csv", "header_duplicate"),
    "too many columns": (b",".join(b"c%d" % n for n in range(201)) + b"\n1", "f.csv", "file_too_many_columns"),
    "zero byte": (b"a,b\n1,\x002\n", "f.csv", "file_nul"),
    "no known encoding": (b"a,b\n1,\xff\xff\n", "f.csv", "file_encoding"),
    "quotes that never close": (b'a,b\n1,"' + b"x\n" * 70_000, "f.csv", "file_quotes"),
    "picture named csv": (PNG, "f.csv", "file_type"),
    "PDF named csv": (b"%PDF-1.7\n...", "f.csv", "file_type"),
    "web page named csv": (b"<html><body><table>", "f.csv", "file_type"),
    "web page named xls": (b"<html><table>", "f.xls", "file_xls"),
    "program": (b"#!/bin/sh\n", "f.sh", "file_type"),
    "old workbook": (bytes.fromhex("d0cf11e0a1b11ae1") + b"\x00" * 512, "f.xls", "file_xls"),
    "workbook with a password": (bytes.fromhex("d0cf11e0a1b11ae1") + b"\x00" * 512, "f.xlsx", "file_xls"),
    "text named xlsx": (b"a,b\n1,2\n", "f.xlsx", "file_name_mismatch"),
    "macro workbook by name": (book(["a"], ["1"]), "f.xlsm", "file_macros"),
    "macro workbook by content": (with_entry("xl/vbaProject.bin", b"x"), "f.xlsx", "file_macros"),
    "embedded object": (with_entry("xl/embeddings/o.bin", b"x"), "f.xlsx", "file_macros"),
    "zip of something else": (zipped(readme=b"hello"), "f.xlsx", "file_type"),
    "half a workbook": (book(["a"], ["1"])[:600], "f.xlsx", "file_damaged"),
    "workbook without its parts": (without("xl/workbook.xml"), "f.xlsx", "file_damaged"),
    "sheet that is no XML": (with_sheet("<worksheet"), "f.xlsx", "file_damaged"),
    "entities in a sheet": (with_sheet(BOMB), "f.xlsx", "file_bomb"),
    "zip bomb": (with_entry("xl/media/zeros", b"\x00" * 40_000_000), "f.xlsx", "file_bomb"),
    "a thousand parts": (zipped(**{f"xl__{n}": b"" for n in range(2100)}), "f.xlsx", "file_bomb"),
    "cell in the last row": (
        with_sheet(SHEET.format(CELL.format(1, "A", "a") + CELL.format(1_048_576, "A", "x"))),
        "f.xlsx",
        "file_too_many_rows",
    ),
    "cell in the last column": (
        with_sheet(SHEET.format(CELL.format(1, "A", "a") + CELL.format(2, "XFD", "x"))),
        "f.xlsx",
        "file_too_many_columns",
    ),
    "JSON Lines from a page": (b'{"a": 1}\n', "f.jsonl", "file_type"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_refused_with_its_code(case: str) -> None:
    content, name, code = BAD_FILES[case]
    with pytest.raises(FileRefused) as refused:
        list(read_table(content, name).rows)
    assert refused.value.code == code
    assert code in FILE_TEXTS and "%(" not in str(refused.value)


def test_more_rows_than_allowed_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_ROWS", 3)
    with pytest.raises(FileRefused, match="最多 3 行"):
        list(read_table(b"a\n1\n2\n3\n4\n", "f.csv").rows)


def test_bad_json_lines_name_their_line() -> None:
    for bad in (b'{"a": 1}\n[1]\n', b'{"a": 1}\n{"a": \n'):
        with pytest.raises(FileRefused, match="第 2 行"):
            list(read_table(bad, "f.jsonl", allow_jsonl=True).rows)


def test_every_refusal_has_a_text_for_pages() -> None:
    assert set(FILE_TEXTS) == set(REFUSALS)


def test_a_workbook_gives_text_as_a_person_would_type_it() -> None:
    content = book(
        ["号码", "日期", "金额", "比例", "公式", "真"],
        [20200109251, date(2024, 1, 31), 1234.1, 0.85, "=SUM(A1:A9)", True],
    )
    assert rows(content, "f.xlsx")[1] == ["20200109251", "2024-01-31", "1234.1", "0.85", "=SUM(A1:A9)", "是"]
    assert workbooks.MAX_UNPACKED > 0


SIGNS = st.text("甲乙ab1 ,;\t\"'\r\n“=é\U00020bb7", max_size=12)


@given(
    st.lists(st.lists(SIGNS, min_size=3, max_size=3), min_size=1, max_size=8),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
)
def test_what_is_written_as_csv_is_read_as_it_was(cells: list[list[str]], encoding: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["甲", "乙", "丙"], *cells])
    kept = [row for row in cells if any(cell.strip() for cell in row)]
    if not kept:
        return
    assert rows(out.getvalue().encode(encoding))[1:] == kept


@given(st.binary(max_size=300))
@example(b"PK\x03\x04")
@example(b"\xff\xfea")
def test_no_bytes_at_all_break_the_reader(content: bytes) -> None:
    for name in ("f.csv", "f.xlsx", "f.jsonl"):
        try:
            list(read_table(content, name, allow_jsonl=True).rows)
        except FileRefused as refused:
            assert refused.code in REFUSALS


WRITINGS = [
    "{:%Y-%m-%d}",
    "{:%Y/%m/%d}",
    "{:%Y.%m.%d}",
    "{:%Y%m%d}",
    "{0.year}-{0.month}-{0.day}",
    "{0.year}年{0.month}月{0.day}日",
    "{:%Y-%m-%d} 00:00:00",
    "{:%Y-%m-%d}T09:30:00Z",
    " {:%Y-%m-%d} ",
    "{:%d %B %Y}",
    "{:%b %d, %Y}",
]


@given(st.dates(date(1900, 3, 1), date(2199, 12, 31)), st.sampled_from(WRITINGS))
def test_a_date_is_read_in_every_common_writing(day: date, writing: str) -> None:
    assert parse_date(writing.format(day)) == day


@given(st.dates(date(1927, 5, 18), date(2173, 10, 13)))
def test_a_spreadsheets_serial_is_its_day(day: date) -> None:
    assert parse_date(str((day - date(1899, 12, 30)).days)) == day


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("03/04/2024", "date_ambiguous"),
        ("2024-02-30", "date_format"),
        ("2024-13-01", "date_format"),
        ("昨天", "date_format"),
        ("0024-01-01", "date_range"),
        ("2924-01-01", "date_range"),
        ("=TODAY()", "date_format"),
        ("", "date_format"),
        ("00001", "date_range"),
    ],
)
def test_a_date_that_cannot_be_sure_is_refused(text: str, code: str) -> None:
    with pytest.raises(DateRefused, match=code):
        parse_date(text)


def test_dates_that_only_look_ambiguous_and_chinese_numerals() -> None:
    assert parse_date("31/01/2024") == parse_date("01/31/2024") == date(2024, 1, 31)
    assert parse_date("05/05/2024") == date(2024, 5, 5)
    assert parse_date("二〇二四年十二月三十一日") == date(2024, 12, 31)
    assert parse_date("２０２４－０１－３１") == date(2024, 1, 1) + timedelta(days=30)


@given(st.text(max_size=30))
def test_no_text_breaks_the_date_reader(text: str) -> None:
    try:
        assert 1900 <= parse_date(text).year < 2200
    except DateRefused as refused:
        assert refused.code in ("date_format", "date_ambiguous", "date_range")


@given(st.text(max_size=20))
@example("=1+1")
@example("＝1")
@example("\t=1")
def test_an_exported_cell_is_never_a_formula(text: str) -> None:
    assert not safe_cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert safe_cell(text).removeprefix("'").endswith(text.removeprefix("'"))
    assert as_csv([["a"], [text]]).startswith(b"\xef\xbb\xbf")


def test_a_row_tells_all_its_faults_at_once() -> None:
    reader = RowReader(
        "cases",
        ["编号", "债务人", "本金（万元）", "违约日", "路径"],
        {"reference": "编号", "debtor_name": "债务人", "loan_principal": "本金（万元）", "default_date": "违约日",
         "legal_path": "路径"},
        {"currency": "人民币"},
    )  # fmt: skip
    values, written, faults = reader.read(["", "甲", "=A1", "03/04/2024", "随便"])
    assert {(f.field, f.code) for f in faults} == {
        ("reference", "required_missing"),
        ("loan_principal", "cell_formula"),
        ("default_date", "date_ambiguous"),
        ("legal_path", "choice_unknown"),
    }
    assert values == {"debtor_name": "甲", "currency": "CNY"} and written["legal_path"] == "随便"
    values, _, faults = reader.read(["A-1", "甲", "500", "2026-01-10", "Ｃ"])
    assert faults == [] and values["loan_principal"] == 5_000_000_00 and values["legal_path"] == "agreed_sale"
