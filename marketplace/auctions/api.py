"""JSON of the auctions room: lots and their course for everyone, registering and bidding for organisations."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from flask import Response
from marshmallow import EXCLUDE, Schema, fields, validate

from marketplace.auctions import queries, service, service_registration
from marketplace.auctions.rules.course import course_bytes
from marketplace.core import files
from marketplace.core.access import access, current_actor, public, token
from marketplace.core.api import Answer, Blueprint, ErrorAnswer, ErrorBody, LanguageQuery, Strict, minor, strict_json
from marketplace.core.direct import this_request
from marketplace.core.errors import NotFound
from marketplace.core.i18n import _l
from marketplace.core.signing import public_key_pem

_WRITER = json.JSONEncoder(ensure_ascii=False)
KINDS = ("ordinary", "priority")
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


class LotQuery(LanguageQuery):
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


class PreemptionInput(Strict):
    basis = fields.String(required=True, validate=validate.OneOf(service_registration.BASES))
    evidence = fields.String(required=True, validate=validate.Length(1, 5000))
    rank = fields.Integer(load_default=1, strict=True, validate=validate.Range(1, 99))


class PreemptionAnswer(Answer):
    lot_id = fields.Integer()
    basis = fields.String()
    rank = fields.Integer(metadata={"description": "1 comes first; the one that the platform confirms counts"})
    state = fields.String(metadata={"enum": ["filed", "confirmed", "refused"]})
    reason = fields.String(allow_none=True)


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
    kind = fields.String(load_default="ordinary", validate=validate.OneOf(KINDS))
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


@blp.post("/lots/<int:lot_id>/preemption")
@blp.arguments(PreemptionInput)
@blp.response(201, PreemptionAnswer)
@access(token("auctions:register"))
def file_preemption(data: dict[str, Any], lot_id: int) -> Any:
    """Claim priority before the start. Filing again while undecided replaces the text; papers go on the pages."""
    return service.file_preemption(current_actor(), lot_id, data["basis"], data["evidence"], data["rank"])


def place_bid(lot_id: int) -> Response:
    """Place a bid. It is decided by the database clock under the lot's lock; the answer is final and repeatable."""
    received_at = datetime.now(UTC)  # when it reached us: recorded, never decisive
    asked = this_request()
    key = asked.headers.get("Idempotency-Key", "")
    data: Any = strict_json(asked.get_data(cache=True)) if asked.mimetype == "application/json" else None
    if not _plainly_right(data, key):
        return _read_bid(lot_id=lot_id)  # type: ignore[no-any-return]
    return _answer_bid(lot_id, data, key, received_at)


def _plainly_right(data: Any, key: str) -> bool:
    """Whether the schemas below would take it as it stands: they name every fault, but take longer than the bid."""
    return (
        type(data) is dict
        and data.keys() <= {"amount_minor", "kind", "confirmed_high"}
        and type(data.get("amount_minor")) is int
        and 0 <= data["amount_minor"] <= 10**15
        and data.get("kind", "ordinary") in KINDS
        and type(data.get("confirmed_high", False)) is bool
        and 0 < len(key) <= 100
    )


@blp.arguments(KeyHeader, location="headers")
@blp.arguments(BidInput)
@blp.response(201, BidAnswerSchema)
@blp.alt_response(409, schema=BidAnswerSchema, description="Refused, with the reason and the standing price")
def _read_bid(header: dict[str, Any], data: dict[str, Any], lot_id: int) -> Response:
    return _answer_bid(lot_id, data, header["idempotency_key"], datetime.now(UTC))


def _answer_bid(lot_id: int, data: dict[str, Any], key: str, received_at: datetime) -> Response:
    answer = service.place_bid_at_once(
        current_actor(),
        lot_id,
        data["amount_minor"],
        key,
        data.get("kind", "ordinary"),
        received_at,
        data.get("confirmed_high", False),
    )
    body = bid_body(answer)
    if not answer.accepted:
        # refusals look alike wherever they come from
        refusal = {"code": answer.code, "message": body["message"], "field": "amount_minor"}
        body["error"] = refusal | {"params": answer.params, "source": answer.source, "problems": []}
    return Response(_WRITER.encode(body), 201 if answer.accepted else 409, mimetype="application/json")


def bid_body(answer: service.BidAnswer) -> dict[str, Any]:
    """``BidAnswerSchema`` by hand: the same members (a test compares them)."""
    standing = answer.standing
    return {
        "accepted": answer.accepted,
        "code": answer.code,
        "message": answer.message,
        "params": answer.params,
        "source": answer.source,
        "amount_minor": answer.amount_minor,
        "currency": answer.currency,
        "bidder_code": answer.bidder_code,
        "seq": answer.seq,
        "decided_at": answer.decided_at.isoformat(),
        "ends_at": answer.ends_at and answer.ends_at.isoformat(),
        "extended": answer.extended,
        "receipt": answer.receipt,
        "replayed": answer.replayed,
        "standing": standing
        and {
            "state": standing.state,
            "price_minor": standing.price_minor,
            "minimum_minor": standing.minimum_minor,
            "ends_at": standing.ends_at.isoformat(),
            "version": standing.version,
            "leading": standing.leading,
        },
    }


place_bid._apidoc = _read_bid._apidoc  # type: ignore[attr-defined]  # one description, whichever way it is read
blp.post("/lots/<int:lot_id>/bids")(access(token("bids:write"))(place_bid))


@blp.get("/keys/signing")
@blp.response(200, KeyAnswer)
@access(public)
def signing_key() -> Any:
    """The public key that verifies receipts and courses."""
    return {"algorithm": "Ed25519", "public_key_pem": public_key_pem()}
