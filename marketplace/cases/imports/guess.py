"""Which column holds which field: known files, then the header's words, then what the cells look like.

A guess is only a proposal on the mapping screen; the bank's own saved mapping comes before it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from flask_babel import force_locale

from marketplace.cases.imports.fields import DEFAULTS, TARGETS, Field
from marketplace.core.i18n import LANGUAGES
from marketplace.rights.rules.numbers import NumberRefused, candidates, parse_uscc

Mapping = dict[str, str]

#: Well-known record files, by columns that only they have together: (target, columns, mapping, defaults).
PRESETS: tuple[tuple[str, frozenset[str], Mapping, dict[str, str]], ...] = (
    (
        "rights",
        frozenset({"publication_no", "title_zh", "ipc_subclasses"}),
        {"number": "publication_no", "publication_no": "publication_no", "title": "title_zh", "ipc": "ipc_subclasses"},
        {"kind": "auto"},
    ),
    (
        "rights",
        frozenset({"id", "country", "kind", "publication_no", "title_zh", "title_en", "cpc", "applicant"}),
        {
            "number": "id",
            "kind": "kind",
            "publication_no": "publication_no",
            "title": "title_zh",
            "title_en": "title_en",
            "abstract": "abstract_zh",
            "abstract_en": "abstract_en",
            "holder_name": "applicant",
            "ipc": "cpc",
        },
        {},
    ),
    (
        "rights",
        frozenset({"id", "title_en", "abstract_en", "applicant", "category", "release_type"}),
        {
            "number": "id",
            "kind": "kind",
            "title_en": "title_en",
            "abstract_en": "abstract_en",
            "holder_name": "applicant",
        },
        {"kind": "software_copyright"},
    ),
)
_UNIT = re.compile(r"[(（\[【].*?[)）\]】]")


def plain(header: str) -> str:
    """A header for comparison: no width, case, brackets, spaces or punctuation."""
    text = unicodedata.normalize("NFKC", header).casefold()
    return re.sub(r"[\s_\-*:：/、.#]+", "", _UNIT.sub("", text)) or re.sub(r"\W+", "", text)


def guess(target: str, columns: Sequence[str], samples: Sequence[Sequence[str]]) -> tuple[Mapping, dict[str, str]]:
    """``(field → column, field → default)``. A column serves one field, save that a publication number stands in
    for a missing number."""
    for preset_target, signature, mapping, defaults in PRESETS:
        if preset_target == target and signature <= set(columns):
            found = {field: column for field, column in mapping.items() if column in columns}
            return found, _defaults(target, found) | {k: v for k, v in defaults.items() if k not in found}
    found = {}
    free = list(columns)
    names = {field.name: _names(field) for field in TARGETS[target]}
    for match in (_exactly, _within):
        for field in TARGETS[target]:
            if field.name in found:
                continue
            column = next((c for c in free if match(names[field.name], plain(c))), None)
            if column is not None:
                found[field.name] = column
                free.remove(column)
    _by_content(target, columns, samples, free, found)
    if target == "rights":
        if "number" not in found and "publication_no" in found:
            found["number"] = found["publication_no"]
        if "title" not in found and "title_en" in found:
            found["title"] = found["title_en"]
    return found, _defaults(target, found)


def _defaults(target: str, found: Mapping) -> dict[str, str]:
    return {field: value for field, value in DEFAULTS[target].items() if field not in found}


def _names(field: Field) -> set[str]:
    """What this field's column may be called: its code, its label in every language, and the banks' own words."""
    found = {plain(field.name), *(plain(name) for name in field.names)}
    for language in LANGUAGES:
        with force_locale(language):
            found.add(plain(str(field.label)))
    return found


def _exactly(names: set[str], header: str) -> bool:
    return header in names


def _within(names: set[str], header: str) -> bool:
    """The header contains a telling name (three or more signs), such as 主要专利权人名称."""
    return any(len(name) >= 3 and not name.isascii() and name in header for name in names)


def _by_content(
    target: str, columns: Sequence[str], samples: Sequence[Sequence[str]], free: list[str], found: Mapping
) -> None:
    """Only what a cell proves by itself: a right's number and a credit code."""
    code = "holder_uscc" if target == "rights" else "debtor_uscc"
    number = "number" if target == "rights" else "right_numbers"
    looks: list[tuple[str, Callable[[str], bool]]] = [(code, _is_uscc), (number, _is_number)]
    for name, test in looks:
        if name in found or (target == "cases" and name == number):
            continue
        for column in free:
            place = list(columns).index(column)
            cells = [row[place] for row in samples if place < len(row) and row[place].strip()]
            if len(cells) >= 2 and sum(map(test, cells)) * 10 >= len(cells) * 8:
                found[name] = column
                free.remove(column)
                break


def _is_uscc(text: str) -> bool:
    try:
        parse_uscc(text)
    except NumberRefused:
        return False
    return True


def _is_number(text: str) -> bool:
    return len(text) < 60 and any(
        n.kind_family in ("cn_patent", "cn_publication", "software_registration", "plant_variety")
        for n in candidates(text)
    )
