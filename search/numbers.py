"""Any way of writing a registration number comes down to the same keys.

A document carries every key by which its number may be asked (``forms``); a question is searched for numbers
(``find``), each with the keys that its writing asks for. They meet when they share one key. Reading is lenient: a
wrong or missing check digit, kind letter, dot, space or label does not hide the right. Whether a number is well formed
is for the room of rights to say, not for search.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 200  # characters read of a number
MOST = 20  # numbers read from one question
_KEY = 64

_LOOKALIKE = str.maketrans("。·•・‧∙⋅−_ー／×✕✖\u0425\u03a7", "." * 7 + "--" + "-" + "/" + "X" * 5)
_DASHES = re.compile("[\u2010-\u2015]")
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")

_S = r"[\s.\-/]{0,2}"  # what people put between the parts
_END = r"(?![0-9A-Z])"
_OFFICES = (
    "US|EP|WO|JP|KR|DE|GB|FR|TW|HK|MO|RU|SU|CA|AU|IN|SG|IT|ES|NL|BE|CH|AT|SE|DK|FI|NO|PL|CZ|HU|PT|IE|GR|TR|"
    "IL|BR|MX|AR|CL|ZA|NZ|MY|TH|VN|ID|PH|UA|EA|AP|OA"
)
_WRITINGS = re.compile(
    "|".join(
        (
            r"(?P<certificate>软著[登变补]*字第?\s*(?P<rz>\d{3,9})\s*号?)",
            rf"(?P<free>[\u3400-\u9fff]作登字{_S}(?P<fz>[0-9A-Z\-]{{4,30}}))",
            rf"(?P<pct>PCT{_S}(?P<pc>[A-Z]{{2}}){_S}(?P<py>\d{{4}}|\d{{2}}){_S}(?P<ps>\d{{5,6}}){_END})",
            rf"(?P<plant>CNA{_S}(?P<ns>\d{{8,11}})(?:\.\d)?{_END})",
            rf"(?P<software>(?P<sy>(?:19|20)\d\d){_S}SR{_S}(?P<ss>\d{{4,7}}){_END})",
            rf"(?P<layout>BS{_S}(?P<ls>\d{{6,10}}){_END})",
            rf"(?P<patent>(?P<ap>(?:(?:ZL|CN|NO){_S}){{0,2}})(?P<ay>(?:19|20)\d\d){_S}(?P<at>[12389]){_S}(?P<an>\d{{7}})"
            rf"(?:{_S}[0-9X])?{_END})",
            rf"(?P<record>(?P<rl>[YX]){_S}(?P<rs>\d{{13}}){_END})",
            rf"(?P<publication>CN{_S}(?P<us>\d{{9}}|\d{{7}}){_S}(?:[A-Z]\d?)?{_END})",
            rf"(?P<old>(?:(?:ZL|CN){_S}){{1,2}}(?P<oy>[089]\d){_S}(?P<ot>[12389]){_S}(?P<on>\d{{5}})"
            rf"(?:{_S}[0-9X])?{_END})",
            rf"(?P<pointed>(?P<os>[089]\d[12389]\d{{5}})(?:{_S}X|\.\d){_END})",
            rf"(?P<foreign>(?P<fo>{_OFFICES})(?P<fl>[A-Z]{{0,2}}){_S}(?P<fd>\d[\d,/ .]{{3,15}}\d){_S}"
            rf"(?P<fk>[A-Z]\d?)?{_END})",
            rf"(?P<mark>(?:TM|第)?{_S}(?P<mg>G?){_S}0*(?P<md>[1-9]\d{{4,7}})(?P<ml>[A-Z]?){_END})",
            rf"(?P<bare>\d{{9,13}}(?P<bk>[A-Z]?\d?){_END})",
        )
    )
)
_STARTS = re.compile(r"(?<![0-9A-Z])(?=[0-9A-Z\u3400-\u9fff])")


@dataclass(frozen=True)
class Number:
    """A number found in a text between two of its characters, with the keys it asks for."""

    start: int
    end: int
    keys: tuple[str, ...]


def forms(number: str) -> tuple[str, ...]:
    """Every key by which this number of a right may be asked. For ``Document.keywords["number"]``."""
    keys: dict[str, None] = {}
    line = _line(number[:LONGEST])
    for found in _read(line):
        for key in found.keys:
            keys[key] = None
            if key.startswith("CNA"):  # an application for a variety is written without the letters
                keys[key[3:]] = None
            elif re.fullmatch(r"[YX]\d{13}", key):
                keys[key[1:]] = None
    whole = _squash(line)
    if whole:
        keys[whole] = None
    return tuple(keys)


def asked(text: str) -> tuple[str, ...]:
    """The keys that a text asks for that is known to be a number (after ``number:``), however short."""
    line = _line(text[:LONGEST])
    keys = dict.fromkeys(key for found in _read(line) for key in found.keys)
    digits = re.sub(r"[^0-9A-Z]", "", line)
    for key in (_squash(line), digits, digits.lstrip("0")):
        if key:
            keys[key[:_KEY]] = None
    return tuple(keys)


def find(text: str) -> list[Number]:
    """The numbers in a question, at most ``MOST``; places are those of ``text``, which must be folded to NFKC."""
    line = text.upper().translate(_LOOKALIKE)
    if len(line) != len(text):  # a letter whose capital is two: never part of a number
        line = "".join(sign.upper() if len(sign.upper()) == 1 else " " for sign in text).translate(_LOOKALIKE)
    return list(_read(line))


def _line(text: str) -> str:
    return _UNSEEN.sub("", _DASHES.sub("-", unicodedata.normalize("NFKC", text))).upper().translate(_LOOKALIKE).strip()


def _squash(line: str) -> str:
    """The number with nothing but its letters and digits: the way to what no pattern knows."""
    return re.sub(r"[^0-9A-Z\u3400-\u9fff]", "", re.sub(r"^[\u3400-\u9fff\s]*号\s*[:]?\s*", "", line))[:_KEY]


def _read(line: str) -> Iterator[Number]:
    at = count = 0
    while count < MOST and (place := _STARTS.search(line, at)):
        found = _WRITINGS.match(line, place.start())
        if found is None:
            at = place.start() + 1
            continue
        count += 1
        at = found.end()
        yield Number(found.start(), found.end(), tuple(dict.fromkeys(key[:_KEY] for key in _keys(found))))


def _keys(found: re.Match[str]) -> Iterator[str]:
    kind, part = found.lastgroup, found.groupdict()
    kind = next(name for name in _KINDS if part.get(name) is not None)
    if kind == "certificate":
        yield f"软著{int(part['rz'])}"
    elif kind == "free":
        yield _squash(found.group())
    elif kind == "pct":
        year = part["py"] if len(part["py"]) == 4 else f"20{part['py']}"
        yield f"PCT{part['pc']}{year}{int(part['ps']):06d}"
    elif kind == "plant":
        digits = part["ns"]
        yield f"CNA{digits[:8] if len(digits) == 9 else digits}"
    elif kind == "software":
        yield f"{part['sy']}SR{int(part['ss'])}"
    elif kind == "layout":
        yield f"BS{part['ls']}"
    elif kind == "patent":
        yield part["ay"] + part["at"] + part["an"]
        if not part["ap"]:  # a pledge registration has 13 digits too
            yield re.sub(r"[^0-9X]", "", found.group())
    elif kind == "record":
        yield part["rl"] + part["rs"]
    elif kind == "publication":
        yield f"CN{part['us']}"
        if len(part["us"]) == 9:
            yield from _old(part["us"])
    elif kind == "old":
        yield part["oy"] + part["ot"] + part["on"]
    elif kind == "pointed":
        yield part["os"]
    elif kind == "foreign":
        yield _foreign(part["fo"], part["fl"] or "", part["fd"])
    elif kind == "mark":
        yield (part["mg"] or "") + part["md"] + (part["ml"] or "")
        if len(part["md"]) == 7 and not part["mg"]:
            yield f"CN{part['md']}"
    else:
        yield from _bare(found.group())


def _bare(text: str) -> Iterator[str]:
    digits = re.match(r"\d+", text).group()  # type: ignore[union-attr]
    if len(digits) == 9:
        yield f"CN{digits}"
        yield from _old(digits)
    elif len(digits) == 11:
        yield f"CNA{digits}"
    yield text


def _old(digits: str) -> Iterator[str]:
    """Nine digits are an application before October 2003 when they begin with its year."""
    if digits[0] in "089":
        yield digits[:8]


def _foreign(office: str, series: str, digits: str) -> str:
    digits = re.sub(r"\D", "", digits)
    if office == "US" and len(digits) == 10 and digits.startswith("20"):
        digits = digits[:4] + digits[4:].zfill(7)  # a publication written without its serial's zero
    return f"{office}{series}{digits.lstrip('0') or '0'}"


_KINDS = (
    "certificate",
    "free",
    "pct",
    "plant",
    "software",
    "layout",
    "patent",
    "record",
    "publication",
    "old",
    "pointed",
    "foreign",
    "mark",
    "bare",
)
