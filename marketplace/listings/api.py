"""JSON of the listings room: what is offered, for everyone."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from marketplace.core.access import access, public
from marketplace.core.api import Answer, Blueprint, LanguageQuery
from marketplace.listings import filters, queries

blp = Blueprint("listings_api", __name__, url_prefix="/api/v1/listings", description="What is offered")


class ListingQuery(LanguageQuery):
    """The filters of the public list; what cannot be read is ignored and named in `ignored`."""

    q = fields.String(load_default="")
    kind = fields.String(load_default="", metadata={"description": "A code of a kind of right"})
    channel = fields.String(load_default="", metadata={"enum": list(filters.CHANNELS)})
    state = fields.String(load_default="", metadata={"enum": list(filters.STATES)})
    region = fields.String(load_default="")
    low = fields.String(load_default="", metadata={"description": "Lowest price in yuan"})
    high = fields.String(load_default="", metadata={"description": "Highest price in yuan"})
    closing = fields.String(load_default="", metadata={"description": "1, 3, 7 or 30 days, or a date"})
    sort = fields.String(load_default="new", metadata={"enum": list(filters.SORTS)})
    page = fields.Integer(load_default=1, validate=validate.Range(1, filters.LAST_PAGE))


class OfferAnswer(Answer):
    number = fields.String()
    title = fields.String()
    title_en = fields.String(allow_none=True)
    kinds = fields.List(fields.String())
    channel = fields.String()
    state = fields.String()
    sandbox = fields.Boolean()
    currency = fields.String()
    start_minor = fields.Integer()
    price_minor = fields.Integer(allow_none=True)
    bids = fields.Integer()
    opens_at = fields.AwareDateTime()
    ends_at = fields.AwareDateTime()
    published_at = fields.AwareDateTime()
    lot_id = fields.Integer()
    round_no = fields.Integer()


class OfferList(Answer):
    offers = fields.List(fields.Nested(OfferAnswer))
    total = fields.Integer()
    page = fields.Integer()
    pages = fields.Integer()
    now = fields.AwareDateTime()
    ignored = fields.List(fields.String())


class RoundAnswer(Answer):
    lot_id = fields.Integer()
    code = fields.String(allow_none=True)
    round_no = fields.Integer()
    state = fields.String()
    after_sale = fields.String(allow_none=True, metadata={"description": "`defaulted`: to be sold again"})
    published_at = fields.AwareDateTime()
    notice_sha256 = fields.String(allow_none=True, metadata={"description": "Of this round's notice"})
    start_minor = fields.Integer()
    increment_minor = fields.Integer()
    deposit_minor = fields.Integer()
    price_minor = fields.Integer(allow_none=True)
    bids = fields.Integer()
    opens_at = fields.AwareDateTime()
    ends_at = fields.AwareDateTime()


class ListingAnswer(Answer):
    number = fields.String()
    title = fields.String()
    title_en = fields.String(allow_none=True)
    channel = fields.String()
    state = fields.String()
    state_reason = fields.String(allow_none=True)
    profile = fields.String()
    profile_version = fields.Integer()
    sandbox = fields.Boolean()
    summary = fields.String()
    known_defects = fields.String()
    taxes_and_fees = fields.String()
    inspection = fields.String()
    handover = fields.String()
    contact = fields.String()
    bidder_conditions = fields.String(allow_none=True)
    qualification = fields.String(metadata={"description": "What a transferee must prove; empty: nothing"})
    priority_holders = fields.String(allow_none=True)
    region_code = fields.String(allow_none=True)
    industry = fields.String(allow_none=True)
    currency = fields.String()
    valuation_basis = fields.String(allow_none=True)
    appraisal_minor = fields.Integer(allow_none=True)
    appraisal_date = fields.Date(allow_none=True)
    published_at = fields.AwareDateTime()
    notice_sha256 = fields.String(
        metadata={"description": "Of the latest round: send it when you register, it is what you accept"}
    )
    rights = fields.List(fields.Dict(), metadata={"description": "Facts as published, see docs/api.md"})
    rounds = fields.List(fields.Nested(RoundAnswer))


@blp.get("")
@blp.arguments(ListingQuery, location="query")
@blp.response(200, OfferList)
@access(public)
def list_listings(query: dict[str, Any]) -> Any:
    """Published offers, with the same filters as the public page."""
    asked = filters.read_filters({name: str(value) for name, value in query.items() if name != "lang"})
    found = queries.public_list(asked)
    return {
        "offers": found.offers,
        "total": found.total,
        "page": found.page,
        "pages": found.pages,
        "now": found.now,
        "ignored": list(asked.faults),
    }


@blp.get("/<string:number>")
@blp.response(200, ListingAnswer)
@access(public)
def read_listing(number: str) -> Any:
    """One published offer with its rights, burdens and rounds."""
    return queries.public_dict(queries.public_listing(number))
