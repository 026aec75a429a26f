"""Dates as people and spreadsheets write them; what can be read in two ways is refused, never guessed."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta

YEARS = range(1900, 2200)
_YMD = re.compile(r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?$")
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
_XDY = re.compile(r"^(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{4})$")
_NAMED = re.compile(
    r"^(?:(\d{1,2})(?:st|nd|rd|th)?[\s-]+([A-Za-z]{3,9})|([A-Za-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?)"
    r"[\s,.-]+(\d{4})$"
)
_TIME = re.compile(r"(?:[T\s]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|\s*[+-]\d{2}:?\d{2})?)$")
_SERIAL = re.compile(r"^(\d{5})(?:\.0+)?$")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_HAN = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_HAN_DATE = re.compile(
    r"^([〇○零一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})[日号]$"
)


class DateRefused(ValueError):
    """``code``: date_format, date_ambiguous (day and month may be exchanged), date_range."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def parse_date(text: str) -> date:
    """``2024-1-31``, ``2024/01/31``, ``2024.1.31``, ``2024年1月31日``, ``二〇二四年一月三十一日``, ``20240131``,
    ``31 Jan 2024``, an Excel serial (``45322``), each with or without a time of day (which is dropped).

    Refuses date_format, date_ambiguous (``03/04/2024``), date_range (years outside 1900 to 2199).
    """
    line = unicodedata.normalize("NFKC", text).strip().strip("'\"")
    line = _TIME.sub("", line).strip()
    for pattern in (_YMD, _COMPACT):
        match = pattern.match(line)
        if match:
            return _day(int(match[1]), int(match[2]), int(match[3]))
    match = _SERIAL.match(line)
    if match:
        # day 1 is 1900-01-01 and Excel counts a 29 Feb 1900 that never was
        return _ranged(date(1899, 12, 30) + timedelta(days=int(match[1])))
    match = _HAN_DATE.match(line)
    if match:
        return _day(int(match[1].translate(_HAN)), _han(match[2]), _han(match[3]))
    match = _NAMED.match(line)
    if match:
        day, name = (match[1], match[2]) if match[1] else (match[4], match[3])
        if name[:3].casefold() in _MONTHS:
            return _day(int(match[5]), _MONTHS.index(name[:3].casefold()) + 1, int(day))
    match = _XDY.match(line)
    if match:
        first, second = int(match[1]), int(match[2])
        if first > 12 or second > 12:
            return _day(int(match[3]), min(first, second), max(first, second))
        if first == second:
            return _day(int(match[3]), first, second)
        raise DateRefused("date_ambiguous")
    raise DateRefused("date_format")


def _day(year: int, month: int, day: int) -> date:
    try:
        return _ranged(date(year, month, day))
    except DateRefused:
        raise
    except ValueError:
        raise DateRefused("date_format") from None


def _ranged(day: date) -> date:
    if day.year not in YEARS:
        raise DateRefused("date_range")
    return day


def _han(text: str) -> int:
    """一 … 三十一."""
    tens, ten, ones = text.partition("十")
    if not ten:
        return int(tens.translate(_HAN))
    return 10 * (int(tens.translate(_HAN)) if tens else 1) + (int(ones.translate(_HAN)) if ones else 0)
