"""What both engines keep of a document beside its tokens, so that they suggest, mend and compare alike."""

from __future__ import annotations

from collections.abc import Mapping

from search import analysis
from search.document import KEYWORDS

#: What can be counted.
FACETS = tuple(name for name in KEYWORDS if name != "number")
MOST_VALUES = 300  # values of one filter that are looked at
#: Streams for field prefixes, beside the combined one.
NAMED = {"title": ("title", "title_en"), "applicant": ("applicant",), "tags": ("tags",)}
#: The beginnings of texts from which titles are suggested and more like a document is sought.
KEPT = (("title", 200), ("title_en", 300), ("applicant", 200), ("tags", 100), ("abstract", 200), ("abstract_en", 500))
#: Lengths of the beginnings by which titles and applicants are suggested.
STARTS = (1, 2, 3, 4, 6, 8)
_SPELLED = ("title", "title_en", "applicant", "abstract_en")


def kept(texts: Mapping[str, str]) -> dict[str, str]:
    """The beginnings of a document's texts."""
    return {name: text[:length] for name, length in KEPT if (text := texts.get(name))}


def spelled(texts: Mapping[str, str]) -> list[str]:
    """The Latin texts whose words mend typing errors."""
    return [text[:600] for name in _SPELLED if (text := texts.get(name)) and not analysis.has_chinese(text)]


def starts(*texts: str) -> list[str]:
    """The beginnings by which these texts are suggested."""
    folded = [analysis.fold(text[:50]).strip() for text in texts if text]
    return list(dict.fromkeys(text[:length] for text in folded for length in STARTS if len(text) >= length))


def typed(start: str) -> str:
    """What was typed, as beginnings are compared; empty when nothing is."""
    folded = analysis.fold(analysis.mainland(start[:50])).lstrip()
    return folded if folded.strip() else ""


def longest_start(start: str) -> str:
    """The longest beginning kept of what was typed."""
    return start[: max(length for length in STARTS if length <= len(start))]


def goes_on(texts: Mapping[str, str], start: str) -> list[str]:
    """The titles and applicants among these that begin with ``start``."""
    named = (texts.get(name, "") for name in ("title", "title_en", "applicant"))
    return [text for text in named if text and analysis.fold(text[:50]).strip().startswith(start)]


def safe(value: str, longest: int = 200) -> str:
    """A value that every engine can carry: bounded, without half surrogates."""
    return value[:longest].encode("utf-8", "replace").decode()
