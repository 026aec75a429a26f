"""Patent numbers: Chinese application and patent numbers, Chinese publications, numbers of other offices.

An application number (202010123456.2; with ZL once granted) and a publication number (CN114081026A) name
different things: canonical forms never collide, the first has a point before its last sign, the second a CN.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from marketplace.rights.rules.kinds import KINDS, Kind
from marketplace.rights.rules.number_text import compact
from marketplace.rights.rules.number_types import NumberRefused, ParsedNumber

_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
#: Type digit -> kind of patent; 8 and 9 came through the PCT.
TYPE_DIGITS: Mapping[str, Kind] = MappingProxyType(
    {
        "1": Kind.INVENTION_PATENT,
        "2": Kind.UTILITY_MODEL,
        "3": Kind.DESIGN_PATENT,
        "8": Kind.INVENTION_PATENT,
        "9": Kind.UTILITY_MODEL,
    }
)
#: Kind letter of a Chinese publication -> (kind of patent, first digit, document).
PUBLICATION_LETTERS: Mapping[str, tuple[Kind, str, str]] = MappingProxyType(
    {
        "A": (Kind.INVENTION_PATENT, "1", "application"),
        "B": (Kind.INVENTION_PATENT, "1", "grant"),
        "C": (Kind.INVENTION_PATENT, "1", "grant"),
        "U": (Kind.UTILITY_MODEL, "2", "grant"),
        "Y": (Kind.UTILITY_MODEL, "2", "grant"),
        "S": (Kind.DESIGN_PATENT, "3", "grant"),
        "D": (Kind.DESIGN_PATENT, "3", "grant"),
    }
)
_OFFICE_CODES = (
    "US EP WO JP KR DE GB FR TW HK MO RU SU CA AU IN SG IT ES NL BE CH AT SE DK FI NO PL CZ HU PT IE GR TR "
    "IL BR MX AR CL ZA NZ MY TH VN ID PH UA EA AP OA"
)
_OFFICES = frozenset(_OFFICE_CODES.split())
_CN = re.compile(r"^(CNZL|ZLCN|ZL|CN)?(\d+)([A-Z]\d?)?$", re.ASCII)
_US = re.compile(r"^US(?:PATENT|PAT)?(?:NUMBER|NO)?(D|RE|PP|H|T)?(\d{4,11})([A-Z]\d?)?$", re.ASCII)
_OTHER = re.compile(r"^([A-Z]{2})([A-Z]{0,3})(\d{4,13})([A-Z]\d?)?$", re.ASCII)
_PCT = re.compile(r"^PCT([A-Z]{2})(\d{4}|\d{2})(\d{5,6})$", re.ASCII)
_NASA = re.compile(r"^NASA[- ]([A-Z0-9]+(?:[- ][A-Z0-9]+)*)$", re.ASCII)


def check_digit(digits: str) -> str:
    """Check digit of the first 12 (old form: 8) digits of a Chinese patent number: "0".."9" or "X".

    Weights 2..9, 2..5; sum modulo 11; 10 is X (domain 2.8). ValueError for any other input.
    """
    if not re.fullmatch(r"[0-9]{8}|[0-9]{12}", digits):
        raise ValueError("a check digit needs the first 8 or 12 digits")
    total = sum(int(d) * w for d, w in zip(digits, _WEIGHTS, strict=False))
    return "0123456789X"[total % 11]


def read_patent(body: str, kind: Kind | None, today: date | None) -> ParsedNumber:
    """Read a patent number of any office from cleaned text without labels; see parse_number for refusals."""
    foreign = read_foreign(body)
    if foreign:
        return foreign
    bare = compact(body)
    match = _CN.match(bare)
    if not match:
        raise NumberRefused("number.unreadable", kind=KINDS[kind].zh if kind else "专利")
    prefix, digits, tail = match.group(1) or "", match.group(2), match.group(3) or ""
    if tail and tail != "X":
        return _publication(prefix, digits, tail, kind)
    sign = digits + tail
    pointed = bool(re.search(r"\.\s*[0-9X]$", body)) or "ZL" in prefix
    # the old form begins with its year (85..03), a publication with its type (1..3)
    if len(sign) in (13, 9) and (len(sign) == 13 or pointed or tail or sign[0] in "089"):
        return _application(prefix, sign, kind, today)
    if not pointed and not tail and len(digits) in (7, 9):
        if prefix == "CN":
            return _publication(prefix, digits, "", kind)
        if len(digits) == 9:
            raise NumberRefused("publication.unmarked")
    unpointed = not re.search(r"\.\s*[0-9X]$", body)
    if unpointed and (len(sign) == 12 or (len(sign) == 8 and sign[0] in "089")):
        raise NumberRefused("patent.check_digit_missing")
    raise NumberRefused("patent.length", length=len(sign))


def _application(prefix: str, sign: str, kind: Kind | None, today: date | None) -> ParsedNumber:
    digits, found = sign[:-1], sign[-1]
    if len(digits) == 12:
        year, type_digit, serial = int(digits[:4]), digits[4], digits[5:]
        plausible = 2003 <= year <= (today.year if today else 2099)
    else:
        short = int(digits[:2])
        year, type_digit, serial = (1900 if short >= 85 else 2000) + short, digits[2], digits[3:]
        plausible = short >= 85 or short <= 3
    if not plausible:
        raise NumberRefused("patent.year", year=year)
    patent_type = TYPE_DIGITS.get(type_digit)
    if patent_type is None:
        raise NumberRefused("patent.type", digit=type_digit)
    expected = check_digit(digits)
    if found != expected:
        raise NumberRefused("patent.check_digit", found=found, expected=expected)
    if kind and KINDS[kind].is_patent and kind != patent_type:
        names = {"found": KINDS[patent_type].zh, "kind": KINDS[kind].zh}
        raise NumberRefused("patent.type_mismatch", digit=type_digit, **names)
    zl = "ZL" in prefix
    granted = zl or bool(kind and KINDS[kind].is_patent)
    warnings = ("patent.zl_on_application",) if zl and kind == Kind.PATENT_APPLICATION else ()
    canonical = f"{digits}.{found}"
    facts = {
        "year": year,
        "patent_type": patent_type.value,
        "type_digit": type_digit,
        "pct": type_digit in "89",
        "serial": serial,
        "written_with_zl": zl,
    }
    return ParsedNumber("cn_patent", canonical, f"ZL{canonical}" if granted else canonical, warnings, facts)


def _publication(prefix: str, digits: str, tail: str, kind: Kind | None) -> ParsedNumber:
    if len(digits) not in (7, 8, 9):
        raise NumberRefused("publication.length", length=len(digits))
    warnings = []
    if "ZL" in prefix:
        warnings.append("publication.zl_prefix")
    if len(digits) == 8:
        warnings.append("publication.length_unconfirmed")
    patent_type, first, document = PUBLICATION_LETTERS.get(tail[:1], (None, "", "unknown"))
    if not tail:
        warnings.append("publication.kind_letter_missing")
        patent_type = TYPE_DIGITS.get(digits[0]) if digits[0] in "123" else None
    elif patent_type is None:
        warnings.append("publication.kind_letter_unknown")
    elif len(digits) != 8 and digits[0] != first:
        warnings.append("publication.first_digit")
    if kind and KINDS[kind].is_patent:
        if patent_type and patent_type != kind:
            warnings.append("publication.kind_mismatch")
        if document == "application":
            warnings.append("publication.application_only")
    canonical = f"CN{digits}{tail}"
    facts = {
        "patent_type": patent_type.value if patent_type else None,
        "document": document,
        "kind_code": tail,
        "stem": f"CN{digits}",
        "office": "CN",
    }
    return ParsedNumber("cn_publication", canonical, canonical, tuple(warnings), facts)


def read_foreign(body: str) -> ParsedNumber | None:
    """A number of another office or a NASA catalogue, kept with the warning number.foreign; else None."""
    nasa = _NASA.match(body)
    if nasa:
        canonical = "NASA-" + nasa.group(1).replace(" ", "-")
        return ParsedNumber("foreign_catalogue", canonical, canonical, ("number.foreign",), {"office": "NASA"})
    bare = re.sub(r"[\s.,\-/()]", "", body)
    pct = _PCT.match(bare)
    if pct:
        canonical = "PCT" + "".join(pct.groups())
        display = f"PCT/{pct.group(1)}{pct.group(2)}/{pct.group(3)}"
        facts = {"office": "WO", "receiving_office": pct.group(1), "document": "application"}
        return ParsedNumber("foreign_patent", canonical, display, ("number.foreign",), facts)
    us = _US.match(bare)
    if us:
        series, digits, letter = us.group(1) or "", us.group(2), us.group(3) or ""
        if len(digits) == 10 and digits.startswith("20"):
            digits = digits[:4] + digits[4:].zfill(7)  # a publication written without its serial's zero
        digits = digits if len(digits) == 11 else digits.lstrip("0") or "0"
        return _foreign("US", series, digits, letter)
    other = _OTHER.match(bare)
    if other and other.group(1) in _OFFICES - {"US"}:
        return _foreign(other.group(1), other.group(2), other.group(3), other.group(4) or "")
    return None


def _foreign(office: str, series: str, digits: str, letter: str) -> ParsedNumber:
    canonical = f"{office}{series}{digits}{letter}"
    facts = {"office": office, "series": series, "kind_code": letter, "stem": f"{office}{series}{digits}"}
    return ParsedNumber("foreign_patent", canonical, canonical, ("number.foreign",), facts)
