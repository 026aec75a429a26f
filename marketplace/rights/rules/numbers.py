"""Read a number in any common way of writing: wide signs, spaces, dots, dashes, labels, lower case x.

Confirmed formats refuse what does not fit, unconfirmed ones keep it with a warning (domain 2.8, 2.1, 9).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from marketplace.rights.rules.kinds import KINDS, Kind, NumberFamily
from marketplace.rights.rules.number_patents import check_digit, read_foreign, read_patent
from marketplace.rights.rules.number_registers import (
    read_free,
    read_layout,
    read_mark,
    read_plant,
    read_record,
    read_software,
)
from marketplace.rights.rules.number_text import clean, without_labels
from marketplace.rights.rules.number_types import FAMILIES, REFUSALS, WARNINGS, NumberRefused, ParsedNumber
from marketplace.rights.rules.uscc import parse_uscc

__all__ = [
    "FAMILIES",
    "REFUSALS",
    "WARNINGS",
    "NumberRefused",
    "ParsedNumber",
    "candidates",
    "check_digit",
    "guess_kind",
    "parse_number",
    "parse_record_number",
    "parse_uscc",
]

#: Families whose form alone proves them: found under another kind, the number is refused by name.
_UNMISTAKABLE = {
    "cn_patent",
    "cn_publication",
    "software_registration",
    "software_certificate",
    "plant_variety",
}


def parse_number(kind: Kind | str, text: str | None, *, today: date | None = None) -> ParsedNumber:
    """Read `text` as the number of a right of `kind`.

    Raises NumberRefused with a code of REFUSALS; returns warnings of WARNINGS for what a person should check.
    With `today`, a patent number from a later year is refused (patent.year). ValueError for an unknown kind.
    """
    kind = Kind(kind)
    line = clean(text)
    try:
        number = _read(kind, line, today)
    except NumberRefused as refusal:
        _refuse_other_kind(kind, line)
        if refusal.code == "number.empty":  # words without a number
            raise NumberRefused("number.unreadable", kind=KINDS[kind].zh) from None
        raise
    if "number.format_unconfirmed" in number.warnings and number.kind_family != "free":
        _refuse_other_kind(kind, line)
    return number


def parse_record_number(purpose: str, text: str | None) -> ParsedNumber:
    """Read a pledge registration number (purpose "pledge") or a licence recordal number ("licence").

    Neither form is confirmed (domain 2.1): any text is kept with a warning, only an empty one is refused.
    """
    if purpose not in ("pledge", "licence"):
        raise ValueError(purpose)
    return read_record(clean(text), f"{purpose}_registration")


def candidates(text: str | None) -> list[ParsedNumber]:
    """Every number that `text` may be, most telling first; empty when it is no number (search, import).

    Free formats (data certificates, works) are never guessed. A publication's facts carry its `stem`, the
    number without its kind letter.
    """
    try:
        line = clean(text)
    except NumberRefused:
        return []
    body = without_labels(line)
    readers: list[Callable[[], ParsedNumber | None]] = [
        lambda: read_software(line),
        lambda: read_plant(line) if body.startswith("CNA") or _digits(body) == 11 else None,
        lambda: read_layout(line) if body.startswith("BS") else None,
        lambda: read_record(line, "pledge_registration") if _is_record(body, "Y") else None,
        lambda: read_record(line, "licence_registration") if _is_record(body, "X") else None,
        lambda: read_patent(body, None, None),
        lambda: read_foreign(body),
        lambda: read_mark(line, Kind.TRADEMARK),
        lambda: read_plant(line) if _digits(body) == 8 else None,
        lambda: read_record(line, "pledge_registration") if _digits(body) == 13 else None,
    ]
    found: dict[str, ParsedNumber] = {}
    for reader in readers:
        try:
            number = reader()
        except NumberRefused:
            continue
        if number is None or (number.kind_family == "trademark" and not _telling_mark(number, found)):
            continue
        found.setdefault(number.canonical, number)
    return list(found.values())


def guess_kind(text: str | None) -> str | None:
    """The most likely family (a key of FAMILIES) of a number in any writing; None when it is no number."""
    found = candidates(text)
    return found[0].kind_family if found else None


def _read(kind: Kind, line: str, today: date | None) -> ParsedNumber:
    family = KINDS[kind].family
    if family == NumberFamily.PATENT:
        return read_patent(without_labels(line), kind, today)
    if family == NumberFamily.MARK:
        return read_mark(line, kind)
    if family == NumberFamily.SOFTWARE:
        return read_software(line)
    if family == NumberFamily.PLANT_VARIETY:
        return read_plant(line)
    if family == NumberFamily.IC_LAYOUT:
        return read_layout(line)
    return read_free(line, kind)


def _refuse_other_kind(kind: Kind, line: str) -> None:
    """Say so when the writing is plainly a number of another family."""
    for number in candidates(line):
        plain = number.kind_family == "software_certificate" or not number.warnings
        if plain and number.kind_family in _UNMISTAKABLE and not _belongs(kind, number.kind_family):
            family = FAMILIES[number.kind_family]
            raise NumberRefused("number.other_kind", family=family, kind=KINDS[kind].zh) from None


def _belongs(kind: Kind, family: str) -> bool:
    prefixes = {
        NumberFamily.PATENT: ("cn_p",),
        NumberFamily.SOFTWARE: ("software",),
        NumberFamily.PLANT_VARIETY: ("plant",),
    }
    return family.startswith(prefixes.get(KINDS[kind].family, ("-",)))


def _telling_mark(number: ParsedNumber, found: dict[str, ParsedNumber]) -> bool:
    """A mark's number is any few digits: guess it only from six, and when nothing surer was read."""
    long_enough = sum(sign.isdigit() for sign in number.canonical) >= 6
    return long_enough and not number.warnings and not any(n.kind_family in _UNMISTAKABLE for n in found.values())


def _digits(body: str) -> int:
    bare = body.replace(" ", "").replace("-", "")
    return len(bare) if bare.isascii() and bare.isdigit() else 0


def _is_record(body: str, letter: str) -> bool:
    return body.startswith(letter) and _digits(body[1:]) == 13
