"""What an upload is, by its bytes; its name only has to agree."""

from __future__ import annotations

from pathlib import Path

from marketplace.cases.reading import csvs, jsonl, workbooks
from marketplace.cases.reading.table import FileRefused, Table

OLE = bytes.fromhex("d0cf11e0a1b11ae1")
#: Beginnings of things that are not text although they may decode as some.
NOT_TEXT = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x1f\x8b",
    b"\x7fELF",
    b"<!DOCTYPE",
    b"<!doctype",
    b"<html",
    b"<?xml",
    b"{\\rtf",
    b"SQLite format 3",
)


def read_table(content: bytes, filename: str, *, allow_jsonl: bool = False) -> Table:
    """The table in this file. Refuses (FileRefused) what is not CSV or XLSX, by its content.

    A file named .xlsx must be one; a workbook under another name is read as what it is. JSON Lines only where
    the caller allows it (the command line).
    """
    if not content.strip(b"\x00\r\n\t ,;\xef\xbb\xbf\xff\xfe"):
        raise FileRefused("file_empty")
    suffix = Path(filename).suffix.lower()
    if content.startswith(OLE) or suffix == ".xls":
        raise FileRefused("file_xls")
    if suffix in (".xlsm", ".xlsb", ".xltm"):
        raise FileRefused("file_macros")
    if content.startswith(b"PK"):
        return workbooks.read_xlsx(content)
    if suffix == ".xlsx":
        raise FileRefused("file_name_mismatch", expected="XLSX")
    if suffix in (".jsonl", ".ndjson") and allow_jsonl:
        return jsonl.read_jsonl(content)
    if suffix not in (".csv", ".tsv", ".txt", "") or content[:64].lstrip(b"\xef\xbb\xbf \r\n").startswith(NOT_TEXT):
        raise FileRefused("file_type")
    return csvs.read_csv(content)
