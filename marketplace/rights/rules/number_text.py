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
_BRACKETS = {"(": ")", "[": "]", "{": "}", "<": ">", "《": "》", "〈": "〉", "【": "】", "「": "」"}
_MARKS = " \"'“”‘’`´=,.;:-/#*"
_EDGES = _MARKS + "".join(_BRACKETS) + "".join(_BRACKETS.values())
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
    joined = _trimmed(unicodedata.normalize("NFKC", "".join(out)).strip())
    if not joined.strip(_EDGES):
        raise NumberRefused("number.empty")
    if _ENUMERATION.search(joined):
        raise NumberRefused("number.several")
    return re.sub(r"\s+", " ", joined)


def _trimmed(text: str) -> str:
    """Without marks at its ends, brackets around the whole and brackets whose other half is missing. A bracket that
    belongs to the number stays: (2023)数登字第1号."""
    previous = None
    while text != previous:
        previous = text = text.strip(_MARKS)
        if text[:1] in _BRACKETS:
            closed = _closed_at(text)
            text = text[1:-1] if closed == len(text) - 1 else text if closed else text[1:]
        if any(text.endswith(close) and text.count(close) > text.count(begin) for begin, close in _BRACKETS.items()):
            text = text[:-1]
    return text


def _closed_at(text: str) -> int:
    """Where the bracket that begins the text is closed; 0 where it never is."""
    depth, close = 0, _BRACKETS[text[0]]
    for place, char in enumerate(text):
        depth += (char == text[0]) - (char == close)
        if depth == 0:
            return place
    return 0


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
