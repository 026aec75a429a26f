"""JSON of the auctions room: lots and their course for everyone, registering and bidding for organisations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Response, current_app
from flask_smorest import Blueprint
from marshmallow import EXCLUDE, Schema, fields, validate

from marketplace.auctions import queries, service
from marketplace.auctions.rules.course import course_bytes
from marketplace.core import files
from marketplace.core.access import access, current_actor, public, token
from marketplace.core.api import Answer, ErrorAnswer, ErrorBody, Strict, minor
from marketplace.core.errors import NotFound
from marketplace.core.i18n import _l
from marketplace.core.signing import public_key_pem

blp = Blueprint("auctions_api", __name__, url_prefix="/api/v1", description="Lots, registrations, bids, results")


class EntryAnswer(Answer):
    """One step of the course. Bidders appear by code only."""

    seq = fields.Integer()
    kind = fields.String()
    bid_kind = fields.String(allow_none=True)
    code = fields.String(allow_none=True)
    rank = fields.Integer(allow_none=True)
    amount_minor = fields.Integer(allow_none=True)
    at = fields.AwareDateTime()
    ends_at = fields.AwareDateTime()
    extended = fields.Boolean()
    reason = fields.String(allow_none=True)
    outcome = fields.String(allow_none=True)
    hash = fields.String()


class ResultAnswer(Answer):
    outcome = fields.String(metadata={"description": "sold or unsold"})
    closed_at = fields.AwareDateTime()
    ends_at = fields.AwareDateTime()
    price_minor = fields.Integer(allow_none=True)
    winner_code = fields.String(allow_none=True)
    winner_name = fields.String(allow_none=True, metadata={"description": "Where the profile publishes it"})
    backup_code = fields.String(allow_none=True)
    backup_price_minor = fields.Integer(allow_none=True)
    bids = fields.Integer()
    head_hash = fields.String()
    published_at = fields.AwareDateTime(allow_none=True)


class LotAnswer(Answer):
    lot_id = fields.Integer()
    code = fields.String(allow_none=True)
    listing_id = fields.Integer()
    round_no = fields.Integer()
    title = fields.String()
    sandbox = fields.Boolean()
    currency = fields.String()
    start_minor = fields.Integer()
    increment_minor = fields.Integer()
    deposit_minor = fields.Integer()
    state = fields.String()
    after_sale = fields.String(allow_none=True)
    state_reason = fields.String(allow_none=True)
    opens_at = fields.AwareDateTime()
    ends_at = fields.AwareDateTime()
    planned_ends_at = fields.AwareDateTime()
    now = fields.AwareDateTime(metadata={"description": "The deciding clock, for your countdown"})
    price_minor = fields.Integer(allow_none=True)
    minimum_minor = fields.Integer(allow_none=True)
    leader_code = fields.String(allow_none=True)
    leader_rank = fields.Integer(allow_none=True)
    bids = fields.Integer()
    extensions = fields.Integer()
    seq = fields.Integer()
    version = fields.Integer()
    entries = fields.List(fields.Nested(EntryAnswer))
    result = fields.Nested(ResultAnswer, allow_none=True)


class LotQuery(Schema):
    class Meta:
        unknown = EXCLUDE

    after_seq = fields.Integer(load_default=0, validate=validate.Range(0, 2**62))
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))


class RegistrationInput(Strict):
    terms_sha256 = fields.String(
        required=True, metadata={"description": "Hash of the notice you accept: `notice_sha256` of the listing"}
    )
    agent_name = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=100))


class CheckAnswer(Answer):
    code = fields.String()
    ok = fields.Boolean()
    needed = fields.Boolean()
    text = fields.String()
    next_step = fields.String()
    source = fields.String()


class RegistrationAnswer(Answer):
    lot_id = fields.Integer()
    code = fields.String(allow_none=True)
    rank = fields.Integer(allow_none=True)
    state = fields.String(allow_none=True)
    deposit_minor = fields.Integer()
    deposit_state = fields.String(allow_none=True)
    deposit_reference = fields.String(allow_none=True, metadata={"description": "Write it on the transfer slip"})
    currency = fields.String()
    may_bid = fields.Boolean()
    checks = fields.List(fields.Nested(CheckAnswer))


class KeyHeader(Schema):
    class Meta:
        unknown = EXCLUDE

    idempotency_key = fields.String(
        data_key="Idempotency-Key",
        required=True,
        validate=validate.Length(1, 100),
        metadata={"description": "Made by you, new for each bid; the same key gets the same answer again"},
    )


class BidInput(Strict):
    amount_minor = minor("The whole price you offer, in minor units", required=True)
    kind = fields.String(load_default="ordinary", validate=validate.OneOf(["ordinary", "priority"]))
    confirmed_high = fields.Boolean(load_default=False)


class StandingAnswer(Answer):
    state = fields.String()
    price_minor = fields.Integer(allow_none=True)
    minimum_minor = fields.Integer(allow_none=True)
    ends_at = fields.AwareDateTime()
    version = fields.Integer()
    leading = fields.Boolean()


class BidAnswerSchema(Answer):
    """201 when accepted, 409 with the reason when refused. Both are kept and replay."""

    accepted = fields.Boolean()
    code = fields.String()
    message = fields.String()
    params = fields.Dict()
    source = fields.String(allow_none=True)
    amount_minor = fields.Integer()
    currency = fields.String()
    bidder_code = fields.String(allow_none=True)
    seq = fields.Integer(allow_none=True)
    decided_at = fields.AwareDateTime()
    ends_at = fields.AwareDateTime(allow_none=True)
    extended = fields.Boolean()
    receipt = fields.Dict(allow_none=True)
    standing = fields.Nested(StandingAnswer, allow_none=True)
    replayed = fields.Boolean()
    error = fields.Nested(ErrorBody, metadata={"description": "Only when refused"})


class KeyAnswer(Answer):
    algorithm = fields.String()
    public_key_pem = fields.String()


_bid = BidAnswerSchema()


@blp.get("/lots/<int:lot_id>")
@blp.arguments(LotQuery, location="query")
@blp.response(200, LotAnswer)
@access(public)
def read_lot(query: dict[str, Any], lot_id: int) -> Any:
    """A lot as everyone sees it now, with the newest entries of its course."""
    queries.state_of(lot_id)
    return queries.public_lot(lot_id, query["after_seq"], query["limit"])


@blp.get("/lots/<int:lot_id>/course")
@blp.response(200, content_type="application/json", description="The signed course, see docs/course-format.md")
@access(public)
def read_course(lot_id: int) -> Response:
    """The whole course, byte for byte as `tools/verify_sale.py` reads it."""
    queries.state_of(lot_id)
    return Response(course_bytes(queries.course_document(lot_id)), mimetype="application/json")


@blp.get("/lots/<int:lot_id>/result")
@blp.response(200, ResultAnswer)
@blp.alt_response(404, schema=ErrorAnswer, description="result_unknown: not closed yet")
@access(public)
def read_result(lot_id: int) -> Any:
    """The one result of this round."""
    queries.state_of(lot_id)
    found = queries.public_result(lot_id)
    if found is None:
        raise NotFound("result_unknown", _l("该标的尚未产生结果"))
    return found


@blp.get("/lots/<int:lot_id>/protocol")
@blp.response(200, content_type="application/pdf", description="The protocol (PDF)")
@access(public)
def read_protocol(lot_id: int) -> Response:
    """The published protocol of this round."""
    queries.state_of(lot_id)
    found = queries.public_result(lot_id)
    if found is None or found["protocol_pdf_id"] is None:
        raise NotFound("protocol_unknown", _l("该标的尚未发布成交记录"))
    document, content = files.read(found["protocol_pdf_id"], current_actor())
    return Response(content, mimetype=document.media_type)


@blp.get("/lots/<int:lot_id>/registration")
@blp.response(200, RegistrationAnswer)
@access(token("auctions:read"))
def read_registration(lot_id: int) -> Any:
    """Your registration, and each condition of bidding with what to do next — before you pay anything."""
    return _registration(lot_id)


@blp.post("/lots/<int:lot_id>/registration")
@blp.arguments(RegistrationInput)
@blp.response(201, RegistrationAnswer)
@access(token("auctions:register"))
def register(data: dict[str, Any], lot_id: int) -> Any:
    """Register your organisation. Registering twice returns the first registration."""
    service.register(current_actor(), lot_id, data["terms_sha256"], data["agent_name"])
    return _registration(lot_id)


def _registration(lot_id: int) -> dict[str, Any]:
    from marketplace.money import queries as money

    actor = current_actor()
    queries.state_of(lot_id)
    found = queries.eligibility(lot_id, actor)
    deposit = money.deposit_of(lot_id, actor.org_id) if actor.org_id is not None else None
    receivable = money.receivable_of(deposit) if deposit is not None else None
    mine = found.registration
    return {
        "lot_id": lot_id,
        "code": mine.code if mine else None,
        "rank": mine.rank if mine else None,
        "state": mine.state if mine else None,
        "deposit_minor": found.deposit_minor,
        "deposit_state": deposit.state if deposit else None,
        "deposit_reference": receivable.reference if receivable else None,
        "currency": found.currency,
        "may_bid": found.may_bid,
        "checks": found.checks,
    }


@blp.post("/lots/<int:lot_id>/bids")
@blp.arguments(KeyHeader, location="headers")
@blp.arguments(BidInput)
@blp.response(201, BidAnswerSchema)
@blp.alt_response(409, schema=BidAnswerSchema, description="Refused, with the reason and the standing price")
@access(token("bids:write"))
def place_bid(header: dict[str, Any], data: dict[str, Any], lot_id: int) -> Any:
    """Place a bid. It is decided by the database clock under the lot's lock; the answer is final and repeatable."""
    answer = service.place_bid(
        current_actor(),
        lot_id,
        data["amount_minor"],
        header["idempotency_key"],
        data["kind"],
        datetime.now(UTC),  # when it reached us: recorded, never decisive
        data["confirmed_high"],
    )
    body = _bid.dump(answer)
    if not answer.accepted:
        # refusals look alike wherever they come from
        refusal = {"code": answer.code, "message": body["message"], "field": "amount_minor"}
        body["error"] = refusal | {"params": answer.params, "source": answer.source, "problems": []}
    return Response(current_app.json.dumps(body), 201 if answer.accepted else 409, mimetype="application/json")


@blp.get("/keys/signing")
@blp.response(200, KeyAnswer)
@access(public)
def signing_key() -> Any:
    """The public key that verifies receipts and courses."""
    return {"algorithm": "Ed25519", "public_key_pem": public_key_pem()}
