"""Trees of codes, as far as counting needs to know: what stands at the top, and directly below a code."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Of each tree: (a code, what stands directly below it). {0} is the code, {1} it without "/00", {2} and {3} its first
#: two and four signs. The patterns have classes, digits and letters only: every engine reads them alike.
_BELOW = {
    "ipc": (
        ("[A-H]", "{0}[0-9][0-9]"),
        ("[A-H][0-9]{2}", "{0}[A-Z]"),
        ("[A-H][0-9]{2}[A-Z]", "{0}[0-9]+/00"),
        ("[A-H][0-9]{2}[A-Z][0-9]{1,4}/00", "{1}/[0-9]+"),
    ),
    "industry": (("[A-T]", "{0}[0-9][0-9]"), ("[A-T][0-9]{2,3}", "{0}[0-9]")),
    "region": (
        ("(?:11|12|31|50)0000", "{2}[0-9][0-9][0-9][0-9]"),  # municipalities have no prefectures
        ("[0-9]{2}0000", "{2}[0-9][0-9]00"),
        ("[0-9]{4}00", "{3}[0-9][0-9]"),
    ),
}
_TOP = {"ipc": "[A-H]", "industry": "[A-T]", "region": "[0-9][0-9]0000"}
TREES = tuple(_TOP)
_is_top = {name: re.compile(pattern).fullmatch for name, pattern in _TOP.items()}


def top(field: str, values: Iterable[str]) -> list[str]:
    """The values at the top of their tree; of a field that is no tree, all."""
    is_top = _is_top.get(field)
    return [value for value in values if is_top is None or is_top(value)]


def below(field: str, opened: Iterable[str]) -> str:
    """A regular expression of the opened codes and those directly below them; empty when none is a code of the tree."""
    parts: dict[str, None] = {}
    for code in opened:
        for what, how in _BELOW[field]:
            if re.fullmatch(what, code):
                parts[code] = parts[how.format(code, code.partition("/")[0], code[:2], code[:4])] = None
                break
    return "|".join(parts)


def shown(field: str, opened: Iterable[str]) -> str:
    """The same with the top."""
    return "|".join(part for part in (_TOP[field], below(field, opened)) if part)
