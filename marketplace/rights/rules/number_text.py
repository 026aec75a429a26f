"""The many ways people write one number, reduced to one: width, dashes, dots, quotes, labels."""

from __future__ import annotations

import re
import unicodedata

from marketplace.rights.rules.number_types import NumberRefused

MAX_LENGTH = 200
HAN = "\u3400-\u9fff\u3007"

_LOOKALIKE = str.maketrans({
    "。": ".", "·": ".", "•": ".", "・": ".", "‧": ".", "∙": ".", "⋅": ".",
    "，": ",", "、": "、", "；": ";", "：": ":", "−": "-", "_": "-", "ー": "-", "／": "/",
    "×": "X", "✕": "X", "✖": "X", "\u0425": "X", "\u03a7": "X",  # sign, Cyrillic Ha, Greek Chi
})  # fmt: skip
_EDGES = " \"'“”‘’`´=()[]{}<>《》〈〉【】「」,.;:-/#*"
_LABEL = re.compile(
    rf"^(?:[{HAN}\s:()/#,.]+|(?:(?:PATENT|APPLICATION|PUBLICATION|REGISTRATION|CERTIFICATE|SERIAL|GRANT|APPL|"
    r"PUB|REG|PAT)\b\.?\s*)+(?:NUMBER|NOS?|#)?\s*[.:#]?\s*|(?:NUMBER|NO)\s*[.:#]\s*|"
    # a bare NO is a label before a space or a Chinese number, else it is the Norwegian office
    r"NO(?:\s+(?=ZL|CN|[0-9])|(?=ZL|CN|[0-9 .]{12,})))"
)
_TRAILING_HAN = re.compile(rf"[\s(]*[{HAN}][{HAN}\s)]*$")
_ENUMERATION = re.compile(r"[0-9A-Z]\s*[、;\n|]\s*[0-9A-Z]|[0-9X]\s*[,/\s]\s*(?:ZL|CN)\s*\d")


def clean(text: str | None) -> str:
    """One line of plain text: NFKC, upper case, one kind of dash, dot and space; quotes at the ends gone.

    Refuses number.empty, number.too_long (more than 200 characters) and number.several (two numbers in one).
    """
    if not isinstance(text, str):
        raise NumberRefused("number.empty")
    if len(text) > MAX_LENGTH:
        raise NumberRefused("number.too_long", length=len(text), max=MAX_LENGTH)
    out = []
    for char in unicodedata.normalize("NFKC", text).upper().translate(_LOOKALIKE):
        category = unicodedata.category(char)
        if char == "\n":
            out.append(char)
        elif category == "Pd":
            out.append("-")
        elif category[0] == "Z" or char == "\t":
            out.append(" ")
        elif category[0] != "C":  # controls, zero-width marks and byte-order marks say nothing
            out.append(char)
    # what was removed may have parted a letter from its accent: compose once more
    joined = unicodedata.normalize("NFKC", "".join(out)).strip().strip(_EDGES).strip()
    if not joined:
        raise NumberRefused("number.empty")
    if _ENUMERATION.search(joined):
        raise NumberRefused("number.several")
    return re.sub(r"\s+", " ", joined)


def without_labels(text: str) -> str:
    """`text` without a leading label (专利号:, Patent No.) and trailing Chinese words (号)."""
    previous = None
    while previous != text:
        previous = text
        text = _LABEL.sub("", text).strip(_EDGES)
    return _TRAILING_HAN.sub("", text).strip(_EDGES)


def compact(text: str) -> str:
    """`text` with separators removed: A-Z and 0-9 only.

    Refuses number.characters with the first character that is neither, and number.empty.
    """
    bare = re.sub(r"[\s.,\-/()]", "", text)
    stranger = re.search(r"[^A-Z0-9]", bare)
    if stranger:
        raise NumberRefused("number.characters", character=stranger.group())
    if not bare:
        raise NumberRefused("number.empty")
    return bare
