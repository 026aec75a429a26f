"""Placing a bid: lock and look, decide by the pure rules, write the entry and the state in one statement."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marketplace.auctions.announce import announce_later
from marketplace.auctions.locks import Locked, lock_lot_for_bids
from marketplace.auctions.rules.chain import rfc3339
from marketplace.auctions.rules.english import minimum_bid
from marketplace.auctions.rules.formats import decide
from marketplace.auctions.rules.state import MAX_MINOR, Accepted, BidIntent, BidKind, Entry, LotState, Refused
from marketplace.auctions.sale import Sale, know_sale, rules_state, sale_of
from marketplace.auctions.seals import sign_receipt, stored_receipt
from marketplace.auctions.wording import explain
from marketplace.core.actor import Actor
from marketplace.core.db import Run, run_sql, two_trips
from marketplace.core.errors import Forbidden, Invalid, Problem
from marketplace.core.i18n import _l

KEY_LENGTH = 100
_KEEP = "SELECT keep_bids(%s, %s::jsonb, %s, %s::jsonb)"


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


@dataclass(frozen=True)
class Ask:
    """A well-formed wish to bid. ``mark`` is the value by which a session names its user: with it, or with the
    actor's token when ``prove``, the sign-in is proved again under the lot's lock."""

    actor: Actor
    org_id: int
    amount_minor: int
    key: str
    kind: BidKind = "ordinary"
    received_at: datetime | None = None
    confirmed_high: bool = False
    prove: bool = False
    mark: str | None = None

    def looked_up(self) -> dict[str, Any]:
        found: dict[str, Any] = {"org": self.org_id, "key": self.key}
        if self.prove and self.actor.token_id is not None:
            found["token"] = self.actor.token_id
        elif self.prove and self.mark is not None:
            found |= {"user": self.actor.user_id, "mark": self.mark}
        return found


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
    answer = decide_all(lot_id, [ask_of(actor, amount_minor, idempotency_key, kind, received_at, confirmed_high)])[0]
    assert answer is not None  # the sign-in is not proved again here
    return answer


def ask_of(
    actor: Actor,
    amount_minor: int,
    idempotency_key: str,
    kind: BidKind = "ordinary",
    received_at: datetime | None = None,
    confirmed_high: bool = False,
    prove: bool = False,
    mark: str | None = None,
) -> Ask:
    """What ``place_bid`` was asked, checked for form; raises as told there, but for ``lot_unknown``."""
    org_id = _bidder(actor)
    key = idempotency_key.strip() if isinstance(idempotency_key, str) else ""
    if not 0 < len(key) <= KEY_LENGTH:
        raise Invalid([Problem("key_malformed", _l("缺少请求编号，请刷新页面后重试"), "idempotency_key")])
    if kind not in ("ordinary", "priority"):
        raise Invalid([Problem("kind_unknown", _l("没有这种出价方式"), "kind")])
    return Ask(actor, org_id, amount_minor, key, kind, received_at, confirmed_high, prove, mark)


def decide_all(lot_id: int, asks: list[Ask], then_commit: bool = False) -> list[BidAnswer | None]:
    """Decide these bids one after the other under one wait for the lot's lock, and keep what was decided in one
    statement. No two of them may have the same organisation and key. None: the sign-in no longer stands.
    ``then_commit``: in a transaction of their own, which ends with that statement; the session's ends before."""
    if not then_commit:
        return _decide(lot_id, asks, run_sql, run_sql)
    know_sale(lot_id)
    with two_trips() as (first, last):
        return _decide(lot_id, asks, first, last)


def _decide(lot_id: int, asks: list[Ask], look: Run, keep: Run) -> list[BidAnswer | None]:
    rows = lock_lot_for_bids(lot_id, [ask.looked_up() for ask in asks], look)
    sale = sale_of(lot_id, rows[0].genesis_hash)
    turn = Turn(sale, rules_state(sale, rows[0]), rows[0].state, rows[0].version)
    answers = [turn.decide(ask, row) for ask, row in zip(asks, rows, strict=True)]
    turn.keep(keep)
    return answers


def _bidder(actor: Actor) -> int:
    if actor.org_id is None:
        raise Forbidden("organisation_needed", _l("请先登记您所代表的机构"))
    if actor.token_id is None:
        actor.require("maker")
    return actor.org_id


def _may_not_bid(sale: Sale, row: Locked) -> Refused | None:
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


@dataclass
class Turn:
    """One wait for the lot's lock: the state as it moves from bid to bid, and what is to be written at the end."""

    sale: Sale
    state: LotState
    phase: str
    version: int
    entries: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)

    def decide(self, ask: Ask, row: Locked) -> BidAnswer | None:
        if not row.signed_in:
            return None
        if row.accepted or row.refused:
            return self.replay(ask, row)
        refused = _may_not_bid(self.sale, row)
        if refused is None:
            bid = BidIntent(
                row.code, ask.amount_minor, ask.kind, row.rank, ask.confirmed_high, ask.received_at or row.now
            )
            answer = decide(self.sale.format, self.state, bid, row.now, self.sale.profile)
            if isinstance(answer, Accepted):
                return self.accept(ask, row, answer)
            refused = answer
        return self.refuse(ask, row, refused, ask.key)

    def accept(self, ask: Ask, row: Locked, answer: Accepted) -> BidAnswer:
        entry, self.state = answer.record, answer.state
        self.phase, self.version = "running", self.version + 1
        receipt, stored = sign_receipt(self.sale, entry)
        body = entry.body
        self.entries.append(
            {
                "seq": entry.seq,
                "registration_id": row.registration_id,
                "code": body["code"],
                "rank": body["rank"],
                "amount_minor": body["amount_minor"],
                "received_at": body["received_at"].isoformat(),
                "decided_at": entry.at.isoformat(),
                "ends_at": entry.ends_at.isoformat(),
                "data": {name: body[name] for name in ("bid_kind", "confirmed_high", "extended")},
                "prev_hash": entry.prev_hash,
                "hash": entry.hash,
                "receipt": stored,
                "idempotency_key": ask.key,
                "user_id": ask.actor.user_id,
            }
        )
        return _accepted(self.sale, entry, receipt, self.standing(row))

    def refuse(self, ask: Ask, row: Locked, refused: Refused, key: str | None) -> BidAnswer:
        params = {name: rfc3339(v) if isinstance(v, datetime) else v for name, v in refused.params.items()}
        if refused.source:
            params["source"] = refused.source
        amount = ask.amount_minor
        kept = amount if type(amount) is int and abs(amount) <= MAX_MINOR else 0
        self.refusals.append(
            {
                "registration_id": row.registration_id,
                "org_id": ask.org_id,
                "user_id": ask.actor.user_id,
                "amount_minor": kept,
                "kind": ask.kind,
                "code": refused.code,
                "params": params,
                "received_at": (ask.received_at or row.now).isoformat(),
                "decided_at": row.now.isoformat(),
                "idempotency_key": key,
            }
        )
        return _refusal(self.sale, refused.code, params, kept, row.now, self.standing(row))

    def replay(self, ask: Ask, row: Locked) -> BidAnswer:
        """The answer that this key already got."""
        kept = row.accepted or row.refused or {}
        kept_kind = kept["data"]["bid_kind"] if row.accepted else kept["kind"]
        if (kept["amount_minor"], kept_kind) != (ask.amount_minor, ask.kind):
            return self.refuse(ask, row, Refused("key_reused"), None)
        decided_at, standing = datetime.fromisoformat(kept["decided_at"]), self.standing(row)
        if not row.accepted:
            return _refusal(self.sale, kept["code"], kept["params"], kept["amount_minor"], decided_at, standing, True)
        body = {"code": kept["code"], "amount_minor": kept["amount_minor"], "extended": kept["data"]["extended"]}
        ends_at = datetime.fromisoformat(kept["ends_at"])
        entry = Entry(kept["seq"], "bid", decided_at, ends_at, body, kept["prev_hash"], kept["hash"])
        return _accepted(self.sale, entry, stored_receipt(self.sale, entry, kept["receipt"]), standing, True)

    def standing(self, row: Locked) -> Standing:
        state = self.state
        leading = row.code is not None and state.leader_code == row.code
        return Standing(self.phase, state.price_minor, minimum_bid(state), state.ends_at, self.version, leading)

    def keep(self, run: Run) -> None:
        """Write all of it in one statement; watchers hear of the last version."""
        if self.entries:
            announce_later(self.sale.lot_id, self.version)
        if self.entries or self.refusals:
            values = (json.dumps(self.entries), self.state.extensions, json.dumps(self.refusals))
            run(_KEEP, (self.sale.lot_id, *values))


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
