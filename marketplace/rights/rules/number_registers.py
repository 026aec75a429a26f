"""Numbers of the other registers: software, marks, plant varieties, layouts, free formats, recordals.

A format that is confirmed refuses what does not fit; one that is not (domain 2.8, 2.1) only warns.
"""

from __future__ import annotations

import re
import unicodedata

from marketplace.rights.rules.kinds import KINDS, Kind
from marketplace.rights.rules.number_patents import read_foreign
from marketplace.rights.rules.number_text import compact, without_labels
from marketplace.rights.rules.number_types import NumberRefused, ParsedNumber

_UNCONFIRMED = "number.format_unconfirmed"
_YEARS = range(1985, 2100)
_CERTIFICATE = re.compile(r"软著(?:登|变补?|补)?字\s*第?\s*([0-9]{3,9})\s*号?$")
_SOFTWARE = re.compile(r"^([0-9]{4})SR([0-9]{6,7})$")
_NICE = re.compile(r"[\s,;/(-]*(?:第\s*([0-9]{1,3})\s*类|国际分类\s*:?\s*([0-9]{1,3})|CLASS\s*([0-9]{1,3}))[\s)]*")
_MARK = re.compile(r"^(G?)0*([1-9][0-9]{0,7})([A-Z]?)$")
_RECORD = re.compile(r"^([YX]?)([0-9]{4})([0-9]{9})$")


def read_software(text: str) -> ParsedNumber:
    """YYYYSR + 6 or 7 digits, confirmed; a certificate (软著登字第…号) and NASA ids warn."""
    certificate = _CERTIFICATE.search(text)
    if certificate:
        canonical = f"软著登字第{certificate.group(1)}号"
        return ParsedNumber("software_certificate", canonical, canonical, ("software.certificate",))
    body = without_labels(text)
    foreign = read_foreign(body)
    if foreign and foreign.kind_family == "foreign_catalogue":
        return foreign
    match = _SOFTWARE.match(compact(body))
    if not match:
        raise NumberRefused("software.format")
    year = int(match.group(1))
    if year not in _YEARS:
        raise NumberRefused("software.year", year=year)
    canonical = match.group()
    return ParsedNumber("software_registration", canonical, canonical, (), {"year": year})


def read_mark(text: str, kind: Kind) -> ParsedNumber:
    """A Chinese registration number of up to 8 digits, or G + digits of the Madrid register; class in facts.

    Other writings with a digit are kept with a warning; refuses trademark.class outside 1..45.
    """
    facts: dict[str, object] = {}
    nice = _NICE.search(text)
    if nice:
        nice_class = int(next(group for group in nice.groups() if group))
        if not 1 <= nice_class <= 45:
            raise NumberRefused("trademark.class", found=nice_class)
        facts["nice_class"] = nice_class
        text = text[: nice.start()] + " " + text[nice.end() :]
    bare = compact(without_labels(re.sub(r"第\s*(?=[G0-9])", "", text.strip())))
    bare = re.sub(r"^TM(?=[G0-9])", "", bare)
    match = _MARK.match(bare)
    if match:
        number = "".join(match.groups())
        family = "trademark_international" if match.group(1) else "trademark"
        return ParsedNumber(family, f"TM-{number}", f"第{number}号", (), facts)
    if not re.search(r"[0-9]", bare):
        raise NumberRefused("number.unreadable", kind=KINDS[kind].zh)
    return ParsedNumber("trademark", f"TM-{bare}", bare, (_UNCONFIRMED,), facts)


def read_plant(text: str) -> ParsedNumber:
    """CNA + 11 digits (confirmed); the same without CNA is the application; older and forestry forms warn."""
    bare = compact(without_labels(text))
    match = re.match(r"^(CNA)?([0-9]+)$", bare)
    if not match:
        raise NumberRefused("number.unreadable", kind=KINDS[Kind.PLANT_VARIETY].zh)
    marked, digits = bool(match.group(1)), match.group(2)
    year = int(digits[:4])
    warnings: tuple[str, ...]
    if len(digits) == 8 and not marked:
        family, canonical, warnings = "plant_variety_forestry", f"PVF-{digits}", (_UNCONFIRMED,)
        display = digits
    elif len(digits) == 9 and marked:
        family, canonical, warnings = "plant_variety_old", f"CNA{digits[:8]}.{digits[8]}", (_UNCONFIRMED,)
        display = canonical
    elif len(digits) == 11:
        family, canonical = "plant_variety", f"CNA{digits}"
        warnings = () if marked else ("plant.application",)
        display = canonical if marked else digits
    else:
        raise NumberRefused("plant.length", length=len(digits))
    if year not in _YEARS:
        raise NumberRefused("plant.year", year=year)
    return ParsedNumber(family, canonical, display, warnings, {"year": year})


def read_layout(text: str) -> ParsedNumber:
    """BS. + digits; the format is not confirmed, so every writing with a digit is kept with a warning."""
    bare = compact(without_labels(text))
    match = re.match(r"^(?:BS)?([0-9]+)$", bare)
    if match:
        canonical = f"BS.{match.group(1)}"
    elif re.search(r"[0-9]", bare):
        canonical = f"BS-{bare}"
    else:
        raise NumberRefused("number.unreadable", kind=KINDS[Kind.IC_LAYOUT].zh)
    return ParsedNumber("ic_layout", canonical, canonical if match else bare, (_UNCONFIRMED,))


_FREE_PREFIX = {
    Kind.DATA_RIGHT: "DATA",
    Kind.GEOGRAPHICAL_INDICATION: "GI",
    Kind.COPYRIGHT_WORK: "WORK",
    Kind.TRADE_SECRET: "SECRET",
}


def read_free(text: str, kind: Kind) -> ParsedNumber:
    """Any text, spaces removed; a trade secret has no register at all (number.no_register)."""
    foreign = read_foreign(without_labels(text)) if kind == Kind.TRADE_SECRET else None
    if foreign and foreign.kind_family == "foreign_catalogue":
        return foreign
    warning = "number.no_register" if kind == Kind.TRADE_SECRET else _UNCONFIRMED
    canonical = unicodedata.normalize("NFKC", f"{_FREE_PREFIX[kind]}-{text.replace(' ', '')}")
    return ParsedNumber("free", canonical, text, (warning,))


def read_record(text: str, family: str) -> ParsedNumber:
    """A pledge registration (Y + 13 digits) or licence recordal (X + 13 digits); never refused for its form.

    Older ones are 13 digits without a letter. Neither form is confirmed (domain 2.1): both always warn, and what has
    another form is shown as it was written.
    """
    bare = re.sub(r"[\s.,\-/()]", "", without_labels(text) or text)
    match = _RECORD.match(bare)
    facts = {"year": int(match.group(2))} if match else {}
    tag = "PLEDGE" if family == "pledge_registration" else "LICENCE"
    canonical = bare if match and match.group(1) else f"{tag}-{bare}"
    return ParsedNumber(family, canonical, bare if match else text, (_UNCONFIRMED,), facts)
