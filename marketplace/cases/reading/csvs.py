"""CSV as Chinese spreadsheets and bank systems write it."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

from marketplace.cases.reading.table import FileRefused, Table, shaped

DELIMITERS = (",", "\t", ";", "|")
# a quoted cell may be as long as a row limit allows; beyond, the quotes do not pair
csv.field_size_limit(131_072)


def read_csv(content: bytes) -> Table:
    """Refuses file_encoding, file_nul, file_quotes and those of ``shaped``."""
    encoding = encoding_of(content)
    # one pass over the whole file, so that a bad byte on the last row is found before anything is kept
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise FileRefused("file_encoding") from None
    if "\x00" in text:
        raise FileRefused("file_nul")
    text = text.lstrip("\ufeff")
    delimiter = delimiter_of(text)
    if text[:4].casefold() == "sep=":  # Excel's own hint line
        text = text.partition("\n")[2]
    header, rows = shaped(_records(text, delimiter))
    name = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "gb18030": "GB18030"}.get(encoding, encoding.upper())
    return Table(header, rows, "csv", encoding=name, delimiter=delimiter)


def encoding_of(content: bytes) -> str:
    """The encoding: byte-order mark, strict UTF-8, UTF-16 by its zero bytes, else GB18030. Refuses file_encoding."""
    if content.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.lookup("utf-8").decode(content, "strict")
    except UnicodeDecodeError:
        pass
    else:
        if b"\x00" not in content:
            return "utf-8"
    head = content[:4096]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if len(content) % 2 == 0 and max(even, odd) > 2 and min(even, odd) == 0:
        return "utf-16-le" if odd else "utf-16-be"
    if b"\x00" in content:
        raise FileRefused("file_nul")
    return "gb18030"


def delimiter_of(text: str) -> str:
    """The sign that parts the first line most often, outside quotes; a comma when none does."""
    if text[:4].casefold() == "sep=" and text[4:5] in DELIMITERS:
        return text[4]
    line, quoted = [], False
    for sign in text.lstrip()[:20_000]:
        if sign == '"':
            quoted = not quoted
        elif sign in "\r\n" and not quoted:
            break
        elif not quoted:
            line.append(sign)
    counts = {sign: line.count(sign) for sign in DELIMITERS}
    return max(DELIMITERS, key=lambda sign: counts[sign]) if any(counts.values()) else ","


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    number = 0
    while True:
        number += 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise FileRefused("file_quotes", row=number) from None
        yield number, record
