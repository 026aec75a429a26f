"""A search as it is kept: the query string of the search page in one canonical form, and what it asks the engines."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from werkzeug.datastructures import MultiDict

from marketplace.core.i18n import _
from marketplace.discovery import wanted
from marketplace.discovery.wanted import Wanted
from search.query import Query

MOST_PAIRS = 200


def read(query: str) -> Wanted:
    """What a query string asks; never raises."""
    pairs = parse_qsl(query.replace("\0", ""), errors="replace")[:MOST_PAIRS]
    return wanted.read(MultiDict(pairs))  # type: ignore[arg-type]


def canonical(query: str) -> str:
    """The same search as one string: what is known, in one order, without page, order and language."""
    pairs = read(query).pairs(sort="", cursor="")
    return urlencode(sorted(dict.fromkeys(pairs), key=lambda pair: (pair[0] != "q", pair)))


def question(query: str, synonyms: tuple[tuple[str, ...], ...] = ()) -> Query:
    """The same in the words of the engines."""
    return wanted.question(read(query), synonyms)


def described(query: str) -> str:
    """What is searched, in words of the reader's language."""
    return " · ".join(value for _key, value in parse_qsl(query)) or _("全部拍品")


def name_of(query: str) -> str:
    """A name to begin with."""
    return described(query)[:60]
