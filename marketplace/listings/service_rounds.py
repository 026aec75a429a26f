"""A further round of an offer after one that failed: the bank's terms, two bankers, two managers, a notice of its own.

The first notice stays as it was; each round has its text, hash and lot. Lock order: approval → listing →
listing_round → lot → case.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from marketplace.auctions import letters
from marketplace.auctions import service as auctions
from marketplace.auctions.models import Lot
from marketplace.auctions.rules.findings import Finding, Term, against
from marketplace.auctions.rules.ladder import NextStep
from marketplace.auctions.sale import sale_of
from marketplace.auctions.service_rounds import RoundTerms, check_next_round, next_step_of, registered_before
from marketplace.cases import service as cases
from marketplace.core import approvals
from marketplace.core.actor import BANK, Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, NotFound, Problem, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.core.models import Approval
from marketplace.listings import facts, rules
from marketplace.listings.account import account_line
from marketplace.listings.models import Listing, NextRound
from marketplace.listings.notice import notice_text
from marketplace.listings.service_course import lots_of
from marketplace.listings.service_draft import locked, open_round, unknown
from marketplace.listings.service_publish import manager, need_reason
from marketplace.listings.texts import ROUND_REVIEW_ITEMS, problem_of
from marketplace.parties import notices
from marketplace.parties import service as parties

TERMS = ("start_minor", "increment_minor", "deposit_minor", "opens_at", "ends_at")
ON_ITS_WAY = Term(True, "flag", "平台规则", "contract")


def failed_lot(listing: Listing) -> tuple[Lot, NextStep] | None:
    """The last round of a closed offer and what its profile allows next; None while it may still sell."""
    lots = lots_of(listing.id)
    if listing.state != "closed" or not lots:
        return None
    step = next_step_of(lots[-1][0].id)
    return None if step is None else (lots[-1][0], step)


def propose_round(actor: Actor, listing_id: int, values: Mapping[str, Any]) -> NextRound:
    """The bank's maker writes the terms of the next round (``TERMS``, ``parties_notified_at``, ``notification_note``),
    or changes them while they are a draft.

    Refused: ``bank_needed``, ``listing_unknown`` (404), ``round_not_possible`` (with why), ``approval_open``,
    ``round_on_its_way``; and every finding of the ladder at its field (Invalid).
    """
    org_id = _bank(actor, "maker")
    listing = locked(listing_id)
    if listing.org_id != org_id:
        raise unknown()
    lot, step = _possible(listing)
    row = open_round(listing_id, lock=True)
    if row is not None and row.state != "draft":
        raise Refused("round_on_its_way", _l("下一轮已经提交，不能修改"))
    if approvals.open_approval("listing.round_submit", "listing", listing_id):
        raise Refused("approval_open", _l("下一轮正在等待第二人复核，复核前不能修改"))
    given, barred = _tried(listing, lot, step, values)
    if barred:
        raise Invalid(barred)
    if row is None:
        row = NextRound(listing_id=listing.id, round_no=step.round_no, after_lot_id=lot.id, created_by=actor.user_id)
        db.session.add(row)
    for name, value in given.items():
        setattr(row, name, value)
    row.updated_at = now()
    db.session.flush()
    record("listing.round_proposed", "listing", listing.id, actor, round_no=row.round_no)
    return row


def round_problems(listing: Listing, values: Mapping[str, Any]) -> list[Problem]:
    """What ``propose_round`` would refuse of these terms; missing ones too, each at its field."""
    return _tried(listing, *_possible(listing), values)[1]


def _tried(
    listing: Listing, lot: Lot, step: NextStep, values: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Problem]]:
    given = {name: values.get(name) for name in TERMS}
    given["parties_notified_at"] = values.get("parties_notified_at")
    given["notification_note"] = str(values.get("notification_note") or "").strip()[:20_000]
    trial = NextRound(listing_id=listing.id, round_no=step.round_no, after_lot_id=lot.id, **given)
    missing = [Problem("term_missing", _l("请填写此项"), name) for name in TERMS if given[name] is None]
    return given, missing + _barring(listing, trial, now())


def drop_round(actor: Actor, listing_id: int) -> None:
    """Give a draft of a round up. Refused: ``round_unknown`` (404), ``round_on_its_way``, ``approval_open``."""
    org_id = _bank(actor, "maker")
    listing = locked(listing_id)
    if listing.org_id != org_id:
        raise unknown()
    row = _open(listing_id, "draft", Refused("round_on_its_way", _l("下一轮已经提交，不能放弃")))
    if approvals.open_approval("listing.round_submit", "listing", listing_id):
        raise Refused("approval_open", _l("下一轮正在等待第二人复核，复核前不能修改"))
    row.state, row.updated_at = "dropped", now()
    record("listing.round_dropped", "listing", listing.id, actor, round_no=row.round_no)


def submit_round(actor: Actor, listing_id: int) -> Approval:
    """Ask the second banker (approval ``listing.round_submit``). Refused with every gap at once (Invalid)."""
    org_id = _bank(actor, "maker")
    listing = locked(listing_id)
    if listing.org_id != org_id:
        raise unknown()
    row = _open(listing_id, "draft", Refused("round_on_its_way", _l("下一轮已经提交")))
    require_round(listing, row, now())
    return approvals.request(
        "listing.round_submit", "listing", listing.id, actor, version=row.updated_at.isoformat(), round_no=row.round_no
    )


def round_submitted(approval: Approval, actor: Actor) -> None:
    """The second banker agreed: the platform reviews."""
    listing = locked(approval.subject_id)
    row = _open(listing.id, "draft", Refused("round_on_its_way", _l("下一轮已经提交")))
    if approval.data.get("version") != row.updated_at.isoformat():
        raise Refused("listing_changed", _l("申请复核后内容有变，请退回后重新提交"))
    require_round(listing, row, now())
    row.state, row.state_reason = "submitted", None
    row.submitted_by, row.submitted_at = actor.user_id, now()
    row.updated_at = row.submitted_at
    record("listing.round_submitted", "listing", listing.id, actor, round_no=row.round_no)
    notices.notify_managers(
        _l("有一轮再次处置待审核"),
        _l("“%(title)s”的第 %(n)s 轮已由两名银行人员提交，请审核。", title=listing.title, n=row.round_no),
        link=f"/manage/listings/{listing.id}",
        dedupe_key=f"listing.round_submitted:{row.id}:{row.submitted_at.isoformat()}",
    )


def round_submission_refused(approval: Approval, actor: Actor) -> None:
    locked(approval.subject_id)
    row = open_round(approval.subject_id, lock=True)
    if row is not None and row.state == "draft":
        row.state_reason = approval.reason


def review_round(actor: Actor, listing_id: int, checklist: Sequence[str], note: str = "") -> Approval:
    """The first manager finds the round in order; another one publishes (approval ``listing.round_publish``).
    Refused: ``manager_needed``, ``round_unknown`` (404), ``round_not_submitted``, ``checklist_incomplete``, and every
    gate."""
    manager(actor)
    listing = locked(listing_id)
    row = _open(listing_id, "submitted", Refused("round_not_submitted", _l("这一轮不在待审核状态")))
    if [code for code in ROUND_REVIEW_ITEMS if code not in checklist]:
        raise Refused("checklist_incomplete", _l("审核清单尚未全部确认"))
    require_round(listing, row, now())
    row.state, row.state_reason = "reviewed", None
    row.reviewed_by, row.reviewed_at = actor.user_id, now()
    row.review = {"items": list(ROUND_REVIEW_ITEMS), "note": note.strip()}
    db.session.flush()
    record("listing.round_reviewed", "listing", listing.id, actor, round_no=row.round_no)
    return approvals.request("listing.round_publish", "listing", listing.id, actor, round_no=row.round_no)


def send_back_round(actor: Actor, listing_id: int, reason: str) -> NextRound:
    """Return the round to the bank with what is to be corrected. Refused: ``round_unknown`` (404),
    ``round_not_returnable``."""
    manager(actor)
    reason = need_reason(reason)
    waiting = approvals.open_approval("listing.round_publish", "listing", listing_id)
    if waiting is not None:  # locked before the listing, as in a publication
        approval = db.session.scalar(
            select(Approval)
            .where(Approval.id == waiting.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if approval is not None and approval.state == "waiting":
            approval.state, approval.reason = "withdrawn", reason
    listing = locked(listing_id)
    row = open_round(listing_id, lock=True)
    if row is None or row.state == "draft":
        raise Refused("round_not_returnable", _l("这一轮不能退回"))
    return _returned(listing, row, actor, reason)


def round_publication_refused(approval: Approval, actor: Actor) -> None:
    """The second manager did not publish: back to the bank with the reason."""
    listing = locked(approval.subject_id)
    row = open_round(listing.id, lock=True)
    if row is not None and row.state == "reviewed":
        _returned(listing, row, actor, approval.reason or "")


def _returned(listing: Listing, row: NextRound, actor: Actor, reason: str) -> NextRound:
    row.state, row.state_reason, row.updated_at = "draft", reason, now()
    row.reviewed_by = row.reviewed_at = None
    record("listing.round_returned", "listing", listing.id, actor, round_no=row.round_no, reason=reason)
    notices.notify_org(
        listing.org_id,
        _l("下一轮被退回"),
        _l("“%(title)s”的第 %(n)s 轮被退回修改，理由：%(reason)s", title=listing.title, n=row.round_no, reason=reason),
        link=f"/listings/mine/{listing.id}",
    )
    return row


def publish_round(actor: Actor, listing_id: int) -> Listing:
    """The second manager publishes. Refused: ``round_not_reviewed``, ``second_person_needed`` and every gate."""
    manager(actor)
    waiting = approvals.open_approval("listing.round_publish", "listing", listing_id)
    if waiting is None:
        locked(listing_id)
        raise Refused("round_not_reviewed", _l("这一轮不在待发布状态"))
    approvals.decide(waiting.id, actor, approve=True)
    return locked(listing_id)


def round_published(approval: Approval, actor: Actor) -> None:
    """Publication under the locks of listing, round and failed lot: gates at this moment, the notice frozen beside
    the earlier ones, fresh snapshots, the lot of the round; those concerned are told."""
    listing = locked(approval.subject_id)
    row = _open(listing.id, "reviewed", Refused("round_not_reviewed", _l("这一轮不在待发布状态")))
    if actor.user_id == row.reviewed_by:
        raise Forbidden("second_person_needed", _l("须由另一名成员复核"))
    at = now()
    require_round(listing, row, at)
    profile = sale_of(row.after_lot_id).profile
    row.opens_at, row.ends_at = rules.rehearsal_times(profile, at, row.opens_at, row.ends_at)
    for item in listing.items:
        item.snapshot = facts.snapshot(item.right)
    text = notice_text(facts.round_notice_data(listing, row, account_line(), at))
    digest = hashlib.sha256(text.encode()).hexdigest()
    lot = auctions.schedule_next_round(actor, row.after_lot_id, terms_of(listing, row, at, digest))
    row.notice_text, row.notice_sha256, row.lot_id = text, digest, lot.id
    row.state, row.state_reason = "published", None
    row.published_by, row.published_at, row.updated_at = actor.user_id, at, at
    listing.state, listing.state_reason, listing.updated_at = "published", None, at
    db.session.flush()
    record("listing.round_published", "listing", listing.id, actor, public=True, round_no=row.round_no, lot_id=lot.id)
    _tell(listing, lot)
    cases.mark_listed(listing.case_id, actor)


def _tell(listing: Listing, lot: Lot) -> None:
    """Seller, debtor, and who took part or has a priority claim."""
    case, sale = facts.case_of(listing), sale_of(lot.id)
    before = registered_before(lot.previous_lot_id or 0)
    told = {listing.org_id, case.debtor_org_id, *before} - {None}
    for org_id in sorted(told, key=lambda value: value or 0):
        letters.next_round_published(sale, org_id or 0)


def terms_of(listing: Listing, row: NextRound, at: datetime, notice_sha256: str | None = None) -> RoundTerms:
    """The round as the auctions room takes it, as if published ``at``. A sandbox whose opening has passed meanwhile
    opens a moment later."""
    opens_at, ends_at = row.opens_at, row.ends_at
    if opens_at and ends_at:  # a form half filled in is checked too
        opens_at, ends_at = rules.rehearsal_times(sale_of(row.after_lot_id).profile, at, opens_at, ends_at)
    return RoundTerms(
        start_minor=row.start_minor,
        increment_minor=row.increment_minor,
        deposit_minor=row.deposit_minor,
        published_at=at,
        opens_at=opens_at,
        ends_at=ends_at,
        facts={"rights": [item.snapshot for item in listing.items], "notice_sha256": notice_sha256},
        parties_notified_at=row.parties_notified_at,
        valuation_date=listing.appraisal_date,
        first_notice_at=listing.published_at,
    )


def round_findings(listing: Listing, row: NextRound, at: datetime) -> list[Finding]:
    """Everything that stands between this round and its publication ``at``: the ladder, the parties' notification,
    the rights as they are now, other offers of the same rights, the seller."""
    profile = sale_of(row.after_lot_id).profile
    found = check_next_round(row.after_lot_id, terms_of(listing, row, at))
    told = profile.parties_notified_days
    if told is not None and row.parties_notified_at is None:
        found.append(against(told, "parties_not_notified", "parties_notified_at", days=told.value))
    elif row.parties_notified_at is not None and row.parties_notified_at > at:
        found.append(against(ON_ITS_WAY, "parties_notified_in_future", "parties_notified_at"))
    if not parties.is_verified(listing.org_id):
        found.append(against(ON_ITS_WAY, "organisation_not_verified", "org"))
    return found + rules.right_findings(facts.right_facts(listing))


def require_round(listing: Listing, row: NextRound, at: datetime) -> None:
    """Refuse with every finding that bars (Invalid)."""
    _possible(listing)
    barred = _barring(listing, row, at)
    if barred:
        raise Invalid(barred)


def _barring(listing: Listing, row: NextRound, at: datetime) -> list[Problem]:
    found = round_findings(listing, row, at)
    return [problem_of(f, listing.currency) for f in found if f.severity == "refuse"]


def _possible(listing: Listing) -> tuple[Lot, NextStep]:
    found = failed_lot(listing)
    if found is None:
        raise Refused("round_not_possible", _l("这一轮还没有结束，或者已经成交，不能安排下一轮"))
    if not found[1].allowed:
        raise Refused("round_not_possible", _l("按本场规则，不能再安排下一轮竞价"))
    return found


def _open(listing_id: int, state: str, otherwise: Refused) -> NextRound:
    row = open_round(listing_id, lock=True)
    if row is None:
        raise NotFound("round_unknown", _l("没有正在安排的下一轮"))
    if row.state != state:
        raise otherwise
    return row


def _bank(actor: Actor, role: str) -> int:
    if actor.org_id is None or actor.org_kind != BANK:
        raise Forbidden("bank_needed", _l("只有银行可以安排下一轮"))
    actor.require(role)
    return actor.org_id
