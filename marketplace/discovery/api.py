"""JSON of the discovery room: the search of the public list, for everyone."""

from __future__ import annotations

from typing import Any

from flask import request
from marshmallow import fields

from marketplace.core.access import access, public
from marketplace.core.api import Answer, Blueprint, LanguageQuery
from marketplace.discovery import bands, find, wanted
from marketplace.discovery.documents import LICENCES
from marketplace.listings.api import OfferAnswer
from marketplace.listings.filters import CHANNELS, KIND_CODES, STATES

blp = Blueprint("discovery_api", __name__, url_prefix="/api/v1", description="Search")


def values(allowed: tuple[str, ...] = (), text: str = "") -> fields.List:
    """A filter that may be given several times: any of the values."""
    description = "; ".join(part for part in (text, "may be repeated: any of them") if part)
    one = fields.String(metadata={"enum": list(allowed)} if allowed else {})
    return fields.List(one, metadata={"description": description})


class SearchQuery(LanguageQuery):
    """The search of the public page; what cannot be read is ignored and named in `ignored`."""

    q = fields.String(metadata={"description": "Words, phrases, -minus, prefixes, numbers: docs/search.md"})
    state = values(STATES)
    kind = values(KIND_CODES)
    channel = values(CHANNELS)
    region = values(text="2, 4 or 6 digits of GB/T 2260, with all below")
    ipc = values(text="a symbol of the IPC, with all below")
    industry = values(text="a code of GB/T 4754, with all below")
    price = values(tuple(code for code, _low in bands.PRICES), "ranges in 10,000 yuan")
    term = values(tuple(code for code, _years in bands.TERMS), "remaining years")
    closing = values(tuple(str(days) for days in bands.CLOSINGS), "days")
    licence = values(LICENCES, "kinds of licence that can still be granted")
    bank = values(text="id of the seller")
    low = fields.String(metadata={"description": "Lowest price in yuan"})
    high = fields.String(metadata={"description": "Highest price in yuan"})
    until = fields.String(metadata={"description": "The sale ends on this day (2026-12-31) or before"})
    sort = fields.String(metadata={"enum": list(wanted.SORTS)})
    cursor = fields.String(metadata={"description": "`cursor` of the answer before"})


class BucketAnswer(Answer):
    value = fields.String()
    count = fields.Integer()


class SearchAnswer(Answer):
    offers = fields.List(fields.Nested(OfferAnswer))
    total = fields.Integer()
    facets = fields.Dict(keys=fields.String(), values=fields.List(fields.Nested(BucketAnswer)))
    cursor = fields.String(metadata={"description": "Asks for the next page; empty at the end"})
    corrected = fields.String(metadata={"description": "What was searched in place of a typing error"})
    exact = fields.Boolean(metadata={"description": "The first offers bear the number that was asked for"})
    narrowed = fields.Boolean(metadata={"description": "The index was away: the answer may be incomplete"})
    now = fields.AwareDateTime()
    ignored = fields.List(fields.String())


@blp.get("/search")
@blp.arguments(SearchQuery, location="query")
@blp.response(200, SearchAnswer)
@access(public)
def search_offers(_query: dict[str, Any]) -> Any:
    """Published offers that match, in order, with counts by filter."""
    asked = wanted.read(request.args)
    found = find.find(asked)
    fields_of = {field: name for name, field in wanted.CHOICES.items()}
    return {
        "offers": found.offers,
        "total": found.total,
        "facets": {fields_of[field]: list(buckets) for field, buckets in found.facets.items()},
        "cursor": found.cursor,
        "corrected": found.corrected,
        "exact": found.exact,
        "narrowed": found.narrowed or found.plain,
        "now": found.now,
        "ignored": [*asked.faults, *found.left_out, *(["cursor"] if found.cursor_refused else [])],
    }
