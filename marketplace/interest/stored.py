"""A search as it is kept: the query string of the search page in one canonical form, and what it asks the engines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import parse_qsl, urlencode

from werkzeug.datastructures import MultiDict

from marketplace.core.i18n import _
from marketplace.discovery import queries, texts, trees, wanted
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


def described(kept: Iterable[str]) -> dict[str, str]:
    """What each of these searches asks, in words of the reader's language. One statement."""
    asked = {query: read(query) for query in kept}
    codes = {(s, code) for one in asked.values() for s in trees.SCHEMES for code in getattr(one, s)}
    names = queries.names(codes, texts.english())
    return {query: " · ".join(_words(one, names)) or _("全部拍品") for query, one in asked.items()}


def _words(asked: Wanted, names: Mapping[tuple[str, str], str]) -> Iterator[str]:
    if asked.q:
        yield f"“{asked.q}”"
    for name in wanted.CHOICES:
        if values := [texts.value_text(name, value, names) for value in getattr(asked, name)]:
            yield " / ".join(values)
    if asked.low or asked.high:
        yield _("价格 %(low)s – %(high)s", low=asked.low or "0", high=asked.high or "…")
    if asked.until:
        yield _("%(day)s 前结束", day=asked.until)


def name_of(query: str) -> str:
    """A name to begin with."""
    return described([query])[query].replace("“", "").replace("”", "")[:60]
