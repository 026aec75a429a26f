"""JSON of the interest room: the board of needs and the sequence of public changes, for everyone."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import fields, validate

from marketplace.core.access import access, public
from marketplace.core.api import Answer, Blueprint, LanguageQuery
from marketplace.interest import feed, queries
from marketplace.interest.filters import LAST_PAGE, WANTED, read_filters
from marketplace.interest.views_data import conditional

blp = Blueprint("interest_api", __name__, url_prefix="/api/v1", description="Needs, and open data")
LAST_POSITION = 2**53


class NeedQuery(LanguageQuery):
    """The filters of the board; what cannot be read is ignored and named in `ignored`."""

    q = fields.String(load_default="")
    ipc = fields.String(load_default="", metadata={"description": "A symbol of the IPC, with all below it"})
    industry = fields.String(load_default="", metadata={"description": "A code of GB/T 4754, with all below it"})
    region = fields.String(load_default="", metadata={"description": "2, 4 or 6 digits of GB/T 2260"})
    wanted = fields.String(load_default="", metadata={"enum": ["", *WANTED]})
    budget = fields.String(load_default="", metadata={"description": "At least this much, in yuan"})
    ended = fields.Boolean(load_default=False)
    page = fields.Integer(load_default=1, validate=validate.Range(1, LAST_PAGE))


class NeedAnswer(Answer):
    id = fields.Integer()
    title = fields.String()
    title_en = fields.String(allow_none=True)
    details = fields.String()
    details_en = fields.String(allow_none=True)
    ipc = fields.List(fields.String())
    industry = fields.String(allow_none=True)
    region_code = fields.String(allow_none=True)
    wanted = fields.String()
    budget_low_minor = fields.Integer(allow_none=True)
    budget_high_minor = fields.Integer(allow_none=True)
    currency = fields.String()
    valid_until = fields.Date(allow_none=True)
    state = fields.String()
    state_reason = fields.String(allow_none=True)
    published_at = fields.AwareDateTime(allow_none=True)
    poster = fields.String(allow_none=True, metadata={"description": "Only where the poster shows its name"})
    demo = fields.Boolean()


class NeedList(Answer):
    needs = fields.List(fields.Nested(NeedAnswer))
    total = fields.Integer()
    page = fields.Integer()
    pages = fields.Integer()
    now = fields.AwareDateTime()
    ignored = fields.List(fields.String())


class FeedQuery(LanguageQuery):
    after = fields.Integer(
        load_default=0,
        validate=validate.Range(0, LAST_POSITION),
        metadata={"description": "`next` of the answer before; 0 begins"},
    )
    limit = fields.Integer(load_default=feed.PAGE, validate=validate.Range(1, feed.PAGE))


class RightFacts(Answer):
    kind = fields.String(allow_none=True)
    number = fields.String(allow_none=True)
    publication_no = fields.String(allow_none=True)
    title = fields.String(allow_none=True)
    title_en = fields.String(allow_none=True)
    filing_date = fields.String(allow_none=True)
    grant_date = fields.String(allow_none=True)
    registration_date = fields.String(allow_none=True)
    term_end = fields.String(allow_none=True)
    term_confirmed = fields.Boolean(allow_none=True)
    ipc = fields.List(fields.String(), allow_none=True)
    nice = fields.List(fields.String(), allow_none=True)
    industry = fields.String(allow_none=True)
    region_code = fields.String(allow_none=True)


class Change(Answer):
    position = fields.Integer()
    changed_at = fields.AwareDateTime()
    number = fields.String()
    sandbox = fields.Boolean(metadata={"description": "A rehearsal, no real sale"})
    currency = fields.String()
    lot_id = fields.Integer()
    round_no = fields.Integer()
    start_minor = fields.Integer()
    appraisal_minor = fields.Integer(allow_none=True)


class ListingChange(Change):
    title = fields.String()
    title_en = fields.String(allow_none=True)
    channel = fields.String()
    state = fields.String()
    profile = fields.String()
    region_code = fields.String(allow_none=True)
    industry = fields.String(allow_none=True)
    appraisal_date = fields.Date(allow_none=True)
    deposit_minor = fields.Integer()
    opens_at = fields.AwareDateTime()
    ends_at = fields.AwareDateTime()
    published_at = fields.AwareDateTime()
    notice_sha256 = fields.String(allow_none=True)
    rights = fields.List(fields.Nested(RightFacts))


class ResultChange(Change):
    outcome = fields.String()
    closed_at = fields.AwareDateTime()
    price_minor = fields.Integer(allow_none=True)
    bids = fields.Integer()
    winner_code = fields.String(allow_none=True)
    winner_name = fields.String(allow_none=True, metadata={"description": "Only where the round's rule publishes it"})
    after_sale = fields.String(allow_none=True)


class ListingFeed(Answer):
    changes = fields.List(fields.Nested(ListingChange))
    next = fields.Integer(metadata={"description": "Send it as `after`, now or later"})
    more = fields.Boolean()


class ResultFeed(Answer):
    changes = fields.List(fields.Nested(ResultChange))
    next = fields.Integer(metadata={"description": "Send it as `after`, now or later"})
    more = fields.Boolean()


@blp.get("/needs")
@blp.arguments(NeedQuery, location="query")
@blp.response(200, NeedList)
@access(public)
def list_needs(query: dict[str, Any]) -> Any:
    """Published needs, with the same filters as the board."""
    asked = {name: ("1" if value else "") if name == "ended" else str(value) for name, value in query.items()}
    wanted = read_filters(asked)
    found = queries.board(wanted)
    return {
        "needs": found.needs,
        "total": found.total,
        "page": found.page,
        "pages": found.pages,
        "now": found.now,
        "ignored": list(wanted.faults),
    }


@blp.get("/needs/<int:need_id>")
@blp.response(200, NeedAnswer)
@access(public)
def read_need(need_id: int) -> Any:
    """One published need."""
    return queries.public_need(need_id)[1]


@blp.get("/open-data/listings")
@blp.arguments(FeedQuery, location="query")
@blp.response(200, ListingFeed)
@access(public)
def feed_listings(query: dict[str, Any]) -> Any:
    """Changes of published offers after a position, each offer at its latest change."""
    return _answer("listings", ListingFeed(), query)


@blp.get("/open-data/results")
@blp.arguments(FeedQuery, location="query")
@blp.response(200, ResultFeed)
@access(public)
def feed_results(query: dict[str, Any]) -> Any:
    """How rounds ended, after a position, each round at its latest change."""
    return _answer("results", ResultFeed(), query)


def _answer(stream: str, schema: Any, query: dict[str, Any]) -> Response:
    found = feed.page(stream, query["after"], query["limit"])
    changes = [{"position": e.position, "changed_at": e.changed_at} | e.facts for e in found.entries]
    response = jsonify(schema.dump({"changes": changes, "next": found.next, "more": found.more}))
    return conditional(response, found.changed_at)
