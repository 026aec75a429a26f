"""What the pages of this room show: view models built from queries, by allow-list."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app, request, url_for

from marketplace.auctions import queries, wording
from marketplace.auctions.models import CourseEntry, Lot, Registration
from marketplace.auctions.rule_words import length
from marketplace.auctions.rules.chain import digest
from marketplace.auctions.rules.english import may_match
from marketplace.auctions.sale import ENDED, Sale, rules_state, sale_of
from marketplace.auctions.service_bids import BidAnswer
from marketplace.core.actor import Actor
from marketplace.core.clock import SHANGHAI
from marketplace.core.db import db
from marketplace.core.errors import DomainError
from marketplace.core.i18n import _, source_words
from marketplace.core.money import SYMBOLS, MoneyRefused

TONES = {
    "scheduled": "info",
    "running": "live",
    "suspended": "warn",
    "withdrawn": "bad",
    "sold": "good",
    "unsold": "neutral",
}
SHOWN_ENTRIES = 30
COMMON: dict[str, Any] = {
    "lot_states": wording.LOT_STATES,
    "after_sale": wording.AFTER_SALE,
    "entry_kinds": wording.ENTRY_KINDS,
    "tones": TONES,
    "check_links": {},
    "own": None,
}


@dataclass(frozen=True)
class Answer:
    """A bid's answer as the page shows it, also after a redirect. ``at`` is the decision's moment."""

    accepted: bool
    code: str
    message: str
    amount_minor: int = 0
    at: datetime | None = None
    seq: int | None = None
    source: str | None = None


def instant_ms(value: datetime | None) -> str:
    """``2026-11-22 14:03:09.123`` in Asia/Shanghai."""
    return "—" if value is None else value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def new_key() -> str:
    """The idempotency key of the next bid from this page."""
    return str(uuid.uuid4())


def amount_fault(error: MoneyRefused) -> str:
    """What is wrong with a typed amount."""
    texts = {
        "money_decimals": _("金额最多两位小数"),
        "money_too_large": _("金额过大，请检查是否多写了数字"),
        "money_negative": _("金额不能是负数"),
    }
    return texts.get(error.code, _("请填写金额，例如 1,234,567.00 或 12.5万"))


def show_problems(form: Any, refused: DomainError) -> None:
    """Put each problem at its field, with the rule it rests on; those without one at the form's top."""
    for problem in refused.problems:
        source = source_words(problem.source)
        text = f"{problem.message} {_('（依据：%(source)s）', source=source)}" if source else str(problem.message)
        place = form._fields.get(problem.field or "")
        if place is None:
            form.form_errors.append(text)
        else:
            place.errors = [*place.errors, text]


def optional_url(endpoint: str, **values: Any) -> str | None:
    """The address of a page of another room, or None where there is no such page yet."""
    if endpoint not in current_app.view_functions:
        return None
    return url_for(endpoint, **values)


def listing_url(sale: Sale) -> str | None:
    """The listing's public page, by the number that stands in the frozen facts."""
    number = sale.facts.get("number")
    return optional_url("listings.public_page", number=number) if number else None


def check_links(lot_id: int) -> dict[str, str | None]:
    """Where to go for each check that does not hold."""
    register = url_for("auctions.register", lot_id=lot_id)
    return {
        "signed_in": url_for("security.login", next=request.path),
        "organisation_verified": optional_url("parties.settings"),
        "registered": register,
        "terms": register,
        "deposit": register,
        "priority": register,
        "qualification": f"{register}#qualification",
    }


def terms_hash(sale: Sale) -> str:
    """The hash of what a bidder accepts: of the published notice, else of the special warnings."""
    published = sale.facts.get("notice_sha256")
    return (
        str(published)
        if published
        else digest({"lot": sale.code, "warnings": [w.text_zh for w in sale.profile.warnings]})
    )


def bid_answer(lot_id: int, seq_text: str | None, own: Registration | None) -> Answer | None:
    """The accepted bid named by ``?bid=seq`` after a redirect, if it is this bidder's own."""
    if own is None or not seq_text or not seq_text.isascii() or not seq_text.isdigit() or len(seq_text) > 12:
        return None
    row = own_entry(lot_id, int(seq_text), own.id)
    if row is None:
        return None
    return Answer(True, "accepted", wording.explain("accepted", {}), row.amount_minor or 0, row.decided_at, row.seq)


def own_entry(lot_id: int, seq: int, registration_id: int) -> CourseEntry | None:
    return db.session.scalar(
        db.select(CourseEntry).where(
            CourseEntry.lot_id == lot_id,
            CourseEntry.seq == seq,
            CourseEntry.registration_id == registration_id,
            CourseEntry.kind == "bid",
        )
    )


def lot_view(lot_id: int, actor: Actor, *, answer: Answer | None = None, typed: str = "") -> dict[str, Any]:
    """Everything the lot page shows to this actor; ``lot_unknown``."""
    kept = db.session.get(Lot, lot_id)  # while it is held here, nobody below reads it again
    state = queries.state_of(lot_id)
    lot = queries.public_lot(lot_id, limit=SHOWN_ENTRIES, state=state)
    sale = sale_of(lot_id, kept.genesis_hash if kept else None)
    profile = sale.profile
    ended = lot["state"] in ENDED
    own = queries.registration_of(lot_id, actor.org_id) if actor.org_id is not None else None
    can_bid = own is not None and own.state == "qualified" and actor.may("maker") and not ended
    ruled = rules_state(sale, state)
    now = lot["now"]
    entries = list(reversed(lot["entries"]))
    return COMMON | {
        "lot": lot,
        "sale": sale,
        "profile": profile,
        "now": now,
        "ended": ended,
        "live": not ended,
        "course": entries,
        "more": lot["seq"] > len(entries),
        "own": own,
        "leading": own is not None and lot["leader_code"] == own.code,
        "box": can_bid,
        "open": lot["state"] in ("scheduled", "running") and lot["opens_at"] <= now < lot["ends_at"],
        "may_match": own is not None and lot["leader_code"] != own.code and may_match(ruled, own.rank, profile),
        "eligibility": None if ended else queries.eligibility(lot_id, actor, own),
        "check_links": check_links(lot_id),
        "key": new_key(),
        "steps": [lot["minimum_minor"] + n * lot["increment_minor"] for n in range(10)],
        "symbol": SYMBOLS.get(lot["currency"], lot["currency"] + " "),
        "answer": answer,
        "typed": typed,
        "extension_window": length(profile.extension_window, profile),
        "extension_length": length(profile.extension_length, profile),
        "links": _links(sale, actor),
        "result": lot["result"],
    }


def _links(sale: Sale, actor: Actor) -> list[tuple[str, str]]:
    """Where to go from the lot: the listing, and the seller's or manager's side for those it belongs to."""
    found = [(_("标的详情、竞买公告和文件"), listing_url(sale) or "")]
    if actor.is_manager:
        found.append((_("管理场次"), url_for("auctions.manage_lot", lot_id=sale.lot_id)))
    if actor.org_id == sale.seller_id:
        found.append((_("处置进展"), url_for("auctions.seller_page", lot_id=sale.lot_id)))
    return [(text, href) for text, href in found if href]


def answer_json(lot_id: int, answer: BidAnswer) -> dict[str, Any]:
    """A bid's answer for ``live.js``: same codes as the page, the standing of now, and the next bid's key."""
    standing = answer.standing
    found: dict[str, Any] = {
        "accepted": answer.accepted,
        "code": answer.code,
        "message": answer.message,
        "amount_minor": answer.amount_minor,
        "decided_at": answer.decided_at.isoformat(),
        "seq": answer.seq,
        "next_key": new_key(),
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
    if answer.accepted:
        found["receipt_url"] = f"/lots/{lot_id}/receipts/{answer.seq}"
    else:
        found["error"] = {
            "code": answer.code,
            "message": answer.message,
            "source": answer.source,
            "source_text": source_words(answer.source),
            "params": answer.params,
        }
    return found
