"""The platform's part: review by one manager, publication by another, in one transaction with the lot.

Lock order: approval → listing → case, lot. A publication also locks the year's counter, so publications follow one
another and numbers have no gap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from marketplace.cases import service as cases
from marketplace.core import approvals, files
from marketplace.core.actor import Actor
from marketplace.core.clock import SHANGHAI, now
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.core.models import Approval
from marketplace.listings import facts, rules
from marketplace.listings.account import account_line
from marketplace.listings.models import Listing, ListingCounter
from marketplace.listings.notice import notice_text
from marketplace.listings.service_draft import locked, require_gates
from marketplace.listings.texts import REVIEW_ITEMS
from marketplace.parties import notices
from marketplace.parties import service as parties


def manager(actor: Actor) -> None:
    if not (actor.is_manager or actor.is_system):
        raise Forbidden("manager_needed", _l("须由平台管理人员操作"))


def need_reason(reason: str) -> str:
    if not reason.strip():
        raise Refused("reason_needed", _l("请填写理由"))
    return reason.strip()


def review(actor: Actor, listing_id: int, checklist: Sequence[str], note: str = "") -> Approval:
    """The first manager finds the offer in order; another one publishes (approval ``listing.publish``).

    Refused: ``manager_needed``, ``listing_not_submitted``, ``checklist_incomplete``, and every gate (Invalid).
    """
    manager(actor)
    listing = locked(listing_id)
    if listing.state != "submitted":
        raise Refused("listing_not_submitted", _l("此挂牌不在待审核状态"))
    missing = [code for code in REVIEW_ITEMS if code not in checklist]
    if missing:
        raise Refused("checklist_incomplete", _l("审核清单尚未全部确认"), items=missing)
    require_gates(listing)
    listing.state, listing.state_reason = "reviewed", None
    listing.reviewed_by, listing.reviewed_at = actor.user_id, now()
    listing.review = {"items": list(REVIEW_ITEMS), "note": note.strip()}
    db.session.flush()
    record("listing.reviewed", "listing", listing.id, actor)
    return approvals.request("listing.publish", "listing", listing.id, actor)


def send_back(actor: Actor, listing_id: int, reason: str) -> Listing:
    """Return the offer to the bank with what is to be corrected. Refused: ``listing_not_returnable``."""
    manager(actor)
    reason = need_reason(reason)
    waiting = approvals.open_approval("listing.publish", "listing", listing_id)
    if waiting is not None:
        # the approval is locked before the listing, as in a publication; its reviewer may take it back
        row = db.session.scalar(
            select(Approval)
            .where(Approval.id == waiting.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if row is not None and row.state == "waiting":
            row.state, row.reason = "withdrawn", reason
    listing = locked(listing_id)
    if listing.state not in ("submitted", "reviewed"):
        raise Refused("listing_not_returnable", _l("此挂牌不能退回"))
    return _returned(listing, actor, reason)


def publication_refused(approval: Approval, actor: Actor) -> None:
    """The second manager did not publish: back to the bank with the reason."""
    listing = locked(approval.subject_id)
    if listing.state == "reviewed":
        _returned(listing, actor, approval.reason or "")


def _returned(listing: Listing, actor: Actor, reason: str) -> Listing:
    listing.state, listing.state_reason, listing.updated_at = "draft", reason, now()
    listing.reviewed_by = listing.reviewed_at = None
    record("listing.returned", "listing", listing.id, actor, reason=reason)
    notices.notify_org(
        listing.org_id,
        _l("挂牌被退回"),
        _l("“%(title)s”被退回修改，理由：%(reason)s", title=listing.title, reason=reason),
        link=f"/listings/mine/{listing.id}",
    )
    return listing


def publish(actor: Actor, listing_id: int) -> Listing:
    """The second manager publishes. Refused: ``listing_not_reviewed``, ``second_person_needed`` and every gate."""
    manager(actor)
    waiting = approvals.open_approval("listing.publish", "listing", listing_id)
    if waiting is None:
        locked(listing_id)
        raise Refused("listing_not_reviewed", _l("此挂牌不在待发布状态"))
    approvals.decide(waiting.id, actor, approve=True)
    return locked(listing_id)


def published(approval: Approval, actor: Actor) -> None:
    """Publication under the listing's lock: gates at this moment, number, frozen notice and snapshots, its lot."""
    from marketplace.auctions import service as auctions

    listing = locked(approval.subject_id)
    if listing.state != "reviewed":
        raise Refused("listing_not_reviewed", _l("此挂牌不在待发布状态"))
    if actor.user_id == listing.reviewed_by:
        raise Forbidden("second_person_needed", _l("须由另一名成员复核"))
    at = now()
    counter = _counter(at)
    at = now()  # after the last lock
    require_gates(listing, at)
    profile = facts.profile_of(listing)
    assert listing.planned_opens_at is not None and listing.planned_ends_at is not None
    assert listing.start_minor is not None and listing.increment_minor is not None
    assert listing.deposit_minor is not None and listing.balance_days is not None
    listing.planned_opens_at, listing.planned_ends_at = rules.rehearsal_times(
        profile, at, listing.planned_opens_at, listing.planned_ends_at
    )
    with db.session.no_autoflush:  # number, notice and hash are written together or not at all
        counter.last += 1
        listing.number = f"ZL-{counter.year}-{counter.last:06d}"
        listing.state, listing.state_reason = "published", None
        listing.published_by, listing.published_at, listing.updated_at = actor.user_id, at, at
        listing.profile_version = profile.version
        for item in listing.items:
            item.snapshot = facts.snapshot(item.right)
        listing.notice_text = notice_text(facts.notice_data(listing, account_line()))
        listing.notice_sha256 = hashlib.sha256(listing.notice_text.encode()).hexdigest()
    db.session.flush()
    case = facts.case_of(listing)
    seller = parties.get_org(listing.org_id)
    auctions.schedule_lot(
        auctions.LotPlan(
            listing_id=listing.id,
            org_id=listing.org_id,
            title=listing.title,
            profile=profile.to_json(),
            start_minor=listing.start_minor,
            increment_minor=listing.increment_minor,
            deposit_minor=listing.deposit_minor,
            balance_days=listing.balance_days,
            published_at=at,
            opens_at=listing.planned_opens_at,
            ends_at=listing.planned_ends_at,
            currency=listing.currency,
            appraisal_minor=listing.appraisal_minor,
            claim_minor=case.claim_principal_minor + case.claim_interest_minor + case.claim_penalty_minor,
            facts={
                "number": listing.number,
                "title_en": listing.title_en,
                "rights": [item.snapshot for item in listing.items],
                "notice_sha256": listing.notice_sha256,
                "warnings": [code for code, ticked in listing.warnings.items() if ticked],
                "seller_name": seller.name,
                "qualification": listing.qualification,
                "qualification_source": facts.qualification_source(listing),
                "handover": listing.handover,
            },
        ),
        actor,
    )
    for document in facts.documents_of(listing.id):
        wanted = listing.shown_documents.get(str(document.id))
        if wanted in ("public", "bidders") and document.visibility != wanted:
            files.set_visibility(document.id, wanted, actor)
    cases.mark_listed(listing.case_id, actor)
    record("listing.published", "listing", listing.id, actor, public=True, number=listing.number)
    told = {listing.org_id, case.debtor_org_id} - {None}
    for org_id in sorted(told, key=lambda value: value or 0):
        notices.notify_org(
            org_id or 0,
            _l("处置公告已发布"),
            _l(
                "公告 %(number)s “%(title)s”已发布。公告中列明竞价时间、规则和优先购买权的主张方式。",
                number=listing.number,
                title=listing.title,
            ),
            link=f"/listings/{listing.number}",
            dedupe_key=f"listing.published:{listing.id}",
        )


def _counter(at: datetime) -> ListingCounter:
    year = at.astimezone(SHANGHAI).year
    db.session.execute(insert(ListingCounter).values(year=year, last=0).on_conflict_do_nothing())
    return db.session.execute(
        select(ListingCounter)
        .where(ListingCounter.year == year)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()
