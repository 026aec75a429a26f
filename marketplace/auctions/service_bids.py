"""Placing a bid: lock and look, decide by the pure rules, write the entry and the state in one statement."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from marketplace.auctions.announce import announce_later
from marketplace.auctions.locks import lock_lot_for_bid
from marketplace.auctions.rules.chain import rfc3339
from marketplace.auctions.rules.english import minimum_bid
from marketplace.auctions.rules.formats import decide
from marketplace.auctions.rules.state import MAX_MINOR, Accepted, BidIntent, BidKind, Entry, LotState, Refused
from marketplace.auctions.sale import Sale, rules_state, sale_of
from marketplace.auctions.seals import sign_receipt, stored_receipt
from marketplace.auctions.wording import explain
from marketplace.core.actor import Actor
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, Problem
from marketplace.core.i18n import _l

KEY_LENGTH = 100


@dataclass(frozen=True)
class Standing:
    """How the lot stands when the answer is given; a replayed answer comes with the standing of now."""

    state: str
    price_minor: int | None
    minimum_minor: int
    ends_at: datetime
    version: int
    leading: bool


@dataclass(frozen=True)
class BidAnswer:
    """``code`` is ``accepted`` or why not. Equal answers mean the same decision: ``standing`` and ``replayed``
    are not compared. ``ends_at`` is the end after this bid; a refused bid moves nothing."""

    accepted: bool
    code: str
    lot_id: int
    amount_minor: int
    currency: str
    decided_at: datetime
    bidder_code: str | None = None
    seq: int | None = None
    ends_at: datetime | None = None
    extended: bool = False
    receipt: dict[str, Any] | None = None
    params: dict[str, Any] = field(default_factory=dict)
    source: str | None = None
    standing: Standing | None = field(default=None, compare=False)
    replayed: bool = field(default=False, compare=False)

    @property
    def message(self) -> str:
        """What to tell the bidder, in the language of the request."""
        return explain(self.code, self.params, self.currency)


_ACCEPT = text("""
WITH entry AS (
    INSERT INTO course_entry (lot_id, seq, kind, registration_id, code, rank, amount_minor, received_at, decided_at,
                              ends_at, data, prev_hash, hash, receipt, idempotency_key, user_id)
    VALUES (:lot_id, :seq, 'bid', :registration_id, :code, :rank, :amount, :received_at, :decided_at, :ends_at,
            CAST(:data AS jsonb), :prev_hash, :hash, :receipt, :key, :user_id)
)
UPDATE lot_state SET state = 'running', price_minor = :amount, leader_registration_id = :registration_id,
       leader_code = :code, leader_rank = :rank, leader_seq = :seq, seq = :seq, bids = bids + 1, ends_at = :ends_at,
       extensions = :extensions, last_hash = :hash, last_at = :decided_at, version = version + 1
 WHERE lot_id = :lot_id
""")
_REFUSE = text("""
INSERT INTO bid_refusal (lot_id, registration_id, org_id, user_id, amount_minor, kind, code, params, received_at,
                         decided_at, idempotency_key)
VALUES (:lot_id, :registration_id, :org_id, :user_id, :amount, :kind, :code, CAST(:params AS jsonb), :received_at,
        :decided_at, :key)
""")


def place_bid(
    actor: Actor,
    lot_id: int,
    amount_minor: int,
    idempotency_key: str,
    kind: BidKind = "ordinary",
    received_at: datetime | None = None,
    confirmed_high: bool = False,
) -> BidAnswer:
    """Decide a bid of ``amount_minor`` under the lot's lock by the database clock (网拍规定 art. 20, 21).

    The answer is returned, accepted or refused, and both are kept. The same key gets the same answer again;
    with another amount or kind it is refused with ``key_reused``. ``received_at`` is when the request reached
    the platform: recorded, never decisive. Beyond the codes of the format's rule: ``not_registered``,
    ``not_qualified``, ``barred``, ``organisation_not_verified``, ``seller_side``, ``key_reused``.
    Raises ``organisation_needed``, ``role_needed``, ``lot_unknown``, ``key_malformed``.
    """
    org_id = _bidder(actor)
    key = idempotency_key.strip() if isinstance(idempotency_key, str) else ""
    if not 0 < len(key) <= KEY_LENGTH:
        raise Invalid([Problem("key_malformed", _l("缺少请求编号，请刷新页面后重试"), "idempotency_key")])
    if kind not in ("ordinary", "priority"):
        raise Invalid([Problem("kind_unknown", _l("没有这种出价方式"), "kind")])
    row = lock_lot_for_bid(lot_id, org_id, key)
    sale = sale_of(lot_id, row.genesis_hash)
    state = rules_state(sale, row)
    if row.accepted or row.refused:
        return _replay(sale, state, row, amount_minor, kind, actor, org_id, received_at)
    refused = _may_not_bid(sale, row)
    if refused is None:
        bid = BidIntent(row.code, amount_minor, kind, row.rank, confirmed_high, received_at or row.now)
        answer = decide(sale.format, state, bid, row.now, sale.profile)
        if isinstance(answer, Accepted):
            return _keep(sale, row, answer, key, actor)
        refused = answer
    return _refuse(sale, state, row, refused, amount_minor, kind, actor, org_id, received_at, key)


def _bidder(actor: Actor) -> int:
    if actor.org_id is None:
        raise Forbidden("organisation_needed", _l("请先登记您所代表的机构"))
    if actor.token_id is None:
        actor.require("maker")
    return actor.org_id


def _may_not_bid(sale: Sale, row: Row[Any]) -> Refused | None:
    """Eligibility, re-checked under the lock; the page showed the same checks before the deposit was paid."""
    profile = sale.profile
    if row.seller_side and not profile.seller_may_bid.value:
        return Refused("seller_side", {}, profile.seller_may_bid.source)
    if row.organisation_state != "verified":
        return Refused("organisation_not_verified", {})
    if row.barred or row.registration_state == "barred":
        return Refused("barred", {}, profile.default_bars_buyer.source)
    if row.registration_id is None or row.registration_state in ("withdrawn", "refused"):
        return Refused("not_registered", {}, "网拍规定 art. 18")
    if row.registration_state != "qualified":
        return Refused("not_qualified", {}, profile.creditor_waiver.source)
    return None


def _keep(sale: Sale, row: Row[Any], answer: Accepted, key: str, actor: Actor) -> BidAnswer:
    entry, after = answer.record, answer.state
    receipt, stored = sign_receipt(sale, entry)
    body = entry.body
    db.session.execute(
        _ACCEPT,
        {
            "lot_id": sale.lot_id,
            "seq": entry.seq,
            "registration_id": row.registration_id,
            "code": body["code"],
            "rank": body["rank"],
            "amount": body["amount_minor"],
            "received_at": body["received_at"],
            "decided_at": entry.at,
            "ends_at": entry.ends_at,
            "data": json.dumps({name: body[name] for name in ("bid_kind", "confirmed_high", "extended")}),
            "prev_hash": entry.prev_hash,
            "hash": entry.hash,
            "receipt": stored,
            "key": key,
            "user_id": actor.user_id,
            "extensions": after.extensions,
        },
    )
    announce_later(sale.lot_id, row.version + 1)
    return _accepted(sale, entry, receipt, _standing(after, "running", row.version + 1, body["code"]))


def _accepted(
    sale: Sale, entry: Entry, receipt: dict[str, Any] | None, standing: Standing, replayed: bool = False
) -> BidAnswer:
    return BidAnswer(
        accepted=True,
        code="accepted",
        lot_id=sale.lot_id,
        amount_minor=entry.body["amount_minor"],
        currency=sale.currency,
        decided_at=entry.at,
        bidder_code=entry.body["code"],
        seq=entry.seq,
        ends_at=entry.ends_at,
        extended=entry.body["extended"],
        receipt=receipt,
        standing=standing,
        replayed=replayed,
    )


def _refuse(
    sale: Sale,
    state: LotState,
    row: Row[Any],
    refused: Refused,
    amount: int,
    kind: str,
    actor: Actor,
    org_id: int,
    received_at: datetime | None,
    key: str | None,
) -> BidAnswer:
    params = {name: rfc3339(v) if isinstance(v, datetime) else v for name, v in refused.params.items()}
    if refused.source:
        params["source"] = refused.source
    kept = amount if type(amount) is int and abs(amount) <= MAX_MINOR else 0
    db.session.execute(
        _REFUSE,
        {
            "lot_id": sale.lot_id,
            "registration_id": row.registration_id,
            "org_id": org_id,
            "user_id": actor.user_id,
            "amount": kept,
            "kind": kind,
            "code": refused.code,
            "params": json.dumps(params),
            "received_at": received_at or row.now,
            "decided_at": row.now,
            "key": key,
        },
    )
    return _refusal(sale, refused.code, params, kept, row.now, _standing(state, row.state, row.version, row.code))


def _refusal(
    sale: Sale,
    code: str,
    params: dict[str, Any],
    amount: int,
    decided_at: datetime,
    standing: Standing,
    replayed: bool = False,
) -> BidAnswer:
    params = dict(params)
    source = params.pop("source", None)
    return BidAnswer(
        accepted=False,
        code=code,
        lot_id=sale.lot_id,
        amount_minor=amount,
        currency=sale.currency,
        decided_at=decided_at,
        params=params,
        source=source,
        standing=standing,
        replayed=replayed,
    )


def _replay(
    sale: Sale,
    state: LotState,
    row: Row[Any],
    amount: int,
    kind: str,
    actor: Actor,
    org_id: int,
    received_at: datetime | None,
) -> BidAnswer:
    """The answer that this key already got."""
    kept = row.accepted or row.refused
    kept_kind = kept["data"]["bid_kind"] if row.accepted else kept["kind"]
    if (kept["amount_minor"], kept_kind) != (amount, kind):
        return _refuse(sale, state, row, Refused("key_reused"), amount, kind, actor, org_id, received_at, None)
    standing = _standing(state, row.state, row.version, row.code)
    decided_at = datetime.fromisoformat(kept["decided_at"])
    if not row.accepted:
        return _refusal(sale, kept["code"], kept["params"], kept["amount_minor"], decided_at, standing, True)
    body = {"code": kept["code"], "amount_minor": kept["amount_minor"], "extended": kept["data"]["extended"]}
    ends_at = datetime.fromisoformat(kept["ends_at"])
    entry = Entry(kept["seq"], "bid", decided_at, ends_at, body, kept["prev_hash"], kept["hash"])
    return _accepted(sale, entry, stored_receipt(sale, entry, kept["receipt"]), standing, True)


def _standing(state: LotState, phase: str, version: int, code: str | None) -> Standing:
    leading = code is not None and state.leader_code == code
    return Standing(phase, state.price_minor, minimum_bid(state), state.ends_at, version, leading)
