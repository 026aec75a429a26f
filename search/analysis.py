"""Text to tokens, made once here and indexed as they are by every engine (white space parts them).

Folding: compatibility forms and full width to half width, lower case, traditional to simplified Chinese, accents off,
English possessives off. Then English words are stemmed (Porter2), words with digits are kept whole, and a run of
Chinese becomes its single characters with the pairs between them: 锂电池 → 锂 锂电 电 电池 池. So a phrase is a row of
tokens that follow each other, in every engine and without gaps.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import opencc
import Stemmer

#: Between two texts in one stream, so that no phrase reaches over the border. Never a token of a question.
BORDER = "¦"
#: Characters read of each text; what a reader looks for stands at the beginning.
LONGEST = {"title": 500, "title_en": 1_000, "applicant": 1_000, "tags": 2_000, "claims": 20_000}
LONGEST_OTHER = 10_000
#: The order of texts in the combined stream. The title counts twice (measured; more hurts).
COMBINED = ("title", "title_en", "title", "title_en", "tags", "applicant", "abstract", "abstract_en", "claims")

CJK = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+")
_HAN = re.compile(rf"[{CJK}]")
_POSSESSIVE = re.compile(r"(?<=[^\W_])['’ʼ＇]s\b", re.IGNORECASE)
#: Anything that compatibility folding might change; what Chinese text is full of stands outside it and costs nothing.
_UNUSUAL = re.compile(r"[^\x00-\x7f\u3001-\u3003\u3008-\u3011\u4e00-\u9fff‘’“”…—·、。，；：？！（）]")
_MARKS = re.compile("[\u0300-\u036f]")
_LONGEST_WORD = 64

_stemmer = Stemmer.Stemmer("english", 0)
_to_simplified = opencc.OpenCC("t2s").convert
_to_mainland = opencc.OpenCC("tw2sp").convert
_cache: dict[str, str] = {}
_CACHED = 200_000


@dataclass(frozen=True, slots=True)
class Token:
    """``position`` is the place in the row of tokens; ``start`` and ``end`` the characters of the *folded* text."""

    text: str
    position: int
    start: int
    end: int


def fold(text: str) -> str:
    """The text in the one form that is compared. Its length may differ from the original's."""
    if text.isascii():
        folded = text.lower()
    else:
        folded = text
        if _UNUSUAL.search(text):
            plain = _MARKS.sub("", unicodedata.normalize("NFKD", text))
            folded = unicodedata.normalize("NFKC", plain)
        folded = folded.lower()
        if _HAN.search(folded):
            folded = _simplified(folded)
    if "'" in folded or "’" in folded or "ʼ" in folded:
        folded = _POSSESSIVE.sub("  ", folded)  # as long as before: places stay
    return folded


def _simplified(text: str) -> str:
    return _to_simplified(text.encode("utf-8", "replace").decode() if _broken(text) else text)


def mainland(text: str) -> str:
    """Taiwan wording in traditional script as written on the mainland: 軟體 → 软件 (questions only).

    A text in simplified script stays as it is: there 文件 and 程序 are what their writer means.
    """
    text = text.encode("utf-8", "replace").decode() if _broken(text) else text
    return _to_mainland(text) if _to_simplified(text) != text else text


def _broken(text: str) -> bool:
    """Half of a surrogate pair, which no UTF-8 can carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def is_chinese(word: str) -> bool:
    """Whether this run is cut into characters and pairs."""
    return _HAN.match(word) is not None


def has_chinese(text: str) -> bool:
    return _HAN.search(text) is not None


def runs(folded: str) -> list[str]:
    """Words and Chinese runs of a folded text, in order."""
    return _RUN.findall(folded)


def stream(text: str) -> str:
    """The tokens of a text with spaces between: what an engine indexes."""
    cached = _cache.get
    return " ".join([cached(run) or _expand(run) for run in _RUN.findall(fold(text))])


def tokens(text: str) -> list[Token]:
    """The tokens of a text with their places."""
    return row(fold(text))


def row(folded: str) -> list[Token]:
    """The tokens of a folded text with their places."""
    out: list[Token] = []
    for found in _RUN.finditer(folded):
        run, start = found.group(), found.start()
        if not is_chinese(run):
            out.append(Token(_cache.get(run) or _expand(run), len(out), start, found.end()))
            continue
        for at in range(len(run)):
            out.append(Token(run[at], len(out), start + at, start + at + 1))
            if at + 1 < len(run):
                out.append(Token(run[at : at + 2], len(out), start + at, start + at + 2))
    return out


def streams(texts: Mapping[str, str]) -> dict[str, str]:
    """The stream of each text of a document, made once and used for all that an engine keeps."""
    made = {name: stream(text[: LONGEST.get(name, LONGEST_OTHER)]) for name, text in texts.items() if text}
    return {name: row for name, row in made.items() if row}


def combined(made: Mapping[str, str]) -> str:
    """The one stream that is ranked, of a document's ``streams``: every text, the title twice."""
    return named(made, *COMBINED)


def named(made: Mapping[str, str], *names: str) -> str:
    """The streams of these texts, one after the other, for a field prefix."""
    return f" {BORDER} ".join([made[name] for name in names if name in made])


def _expand(run: str) -> str:
    """The tokens of one run; short ones are remembered."""
    if is_chinese(run):
        pairs = " ".join([f"{one} {one}{two}" for one, two in pairwise(run)])
        made = f"{pairs} {run[-1]}" if pairs else run
        if len(run) > 4:
            return made
    elif len(run) > _LONGEST_WORD:
        return run[:_LONGEST_WORD]
    elif run.isascii() and run.isalpha():
        made = _stemmer.stemWord(run)
    else:
        made = run
    if len(_cache) >= _CACHED:
        _cache.clear()
    _cache[run] = made
    return made


def chinese_words(run: str) -> list[str]:
    """A Chinese run cut at the bounds of dictionary words."""
    import rjieba  # the dictionary takes a moment to load

    return rjieba.cut(run)
