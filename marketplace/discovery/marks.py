"""Where the words of a question stand in what the database holds: titles, holders, a piece of the abstract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from marketplace.core.i18n import title_of
from marketplace.discovery import documents, prefixes, texts
from marketplace.listings.queries import Offer
from search import highlight, language

SNIPPET = 150  # characters
LONGEST_TITLE = 300


@dataclass(frozen=True)
class Match:
    """``exact``: it bears the number that was asked for. ``number`` is that of its first right."""

    title: Markup
    number: str
    holder: Markup
    snippet: Markup
    exact: bool


def matches(
    text: str,
    offers: Sequence[Offer],
    shots: Mapping[int, Sequence[Mapping[str, Any]]],
    synonyms: Sequence[tuple[str, ...]] = (),
) -> dict[int, Match]:
    """What is shown of each offer, with the words of ``text`` marked."""
    parsed = language.parse(text, synonyms, prefixes.names(), every=False)
    asked = set(parsed.numbers) | set(parsed.filters.get("number", ()))
    english = texts.english()
    return {
        offer.listing_id: _match(offer, shots.get(offer.listing_id, ()), parsed, asked, english) for offer in offers
    }


def _match(
    offer: Offer, shots: Sequence[Mapping[str, Any]], parsed: language.Parsed, asked: set[str], english: bool
) -> Match:
    first: Mapping[str, Any] = shots[0] if shots else {}
    numbers = documents.numbers(offer.number, [dict(shot) for shot in shots]) if asked else ()
    return Match(
        title=_marked(title_of(offer), parsed, LONGEST_TITLE)[0],
        number=str(first.get("number") or ""),
        holder=_marked(str(first.get("holder") or ""), parsed, 80)[0],
        snippet=_snippet(shots, parsed, english),
        exact=not asked.isdisjoint(numbers),
    )


def _snippet(shots: Sequence[Mapping[str, Any]], parsed: language.Parsed, english: bool) -> Markup:
    """The first text with a match: abstracts in the reader's language before the other, then the titles of rights."""
    names = ("abstract_en", "abstract") if english else ("abstract", "abstract_en")
    found = [str(shot[name]) for name in names for shot in shots if shot.get(name)]
    found += [str(shot["title"]) for shot in shots[1:] if shot.get("title")]
    plain = Markup()
    for text in found:
        piece, matched = _marked(text, parsed, SNIPPET)
        if matched:
            return piece
        plain = plain or piece
    return plain


def _marked(text: str, parsed: language.Parsed, length: int) -> tuple[Markup, bool]:
    pieces = highlight.mark(text, parsed, length)
    made = Markup().join(Markup("<mark>{}</mark>").format(part) if hit else escape(part) for part, hit in pieces)
    return texts.spoken(made), any(hit for _part, hit in pieces)
