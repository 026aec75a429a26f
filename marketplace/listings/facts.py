"""Gathers what the gates and the notice need from the rooms below."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from marketplace.auctions.models import Lot, LotState
from marketplace.auctions.rules.catalogue import get_profile
from marketplace.auctions.rules.deadlines import Deadline, deadlines_for
from marketplace.auctions.rules.findings import Finding
from marketplace.auctions.rules.profiles import Profile, Round
from marketplace.auctions.sale import sale_of
from marketplace.cases.models import Case
from marketplace.core.calendar import HOLIDAYS_KNOWN_UNTIL, is_working_day
from marketplace.core.clock import now
from marketplace.core.clock import today as legal_today
from marketplace.core.db import db
from marketplace.core.i18n import title_of
from marketplace.core.models import Document
from marketplace.core.money import format_minor
from marketplace.listings import queries, rules
from marketplace.listings.models import Listing, ListingRight, NextRound
from marketplace.listings.notice import NoticeData, moment
from marketplace.parties import service as parties
from marketplace.rights.models import Right
from marketplace.rights.rules.kinds import KINDS, Kind


def profile_of(listing: Listing) -> Profile:
    """The rule profile the offer names (drafts follow the current version; a lot carries its frozen one)."""
    return get_profile(listing.profile_code)


def case_of(listing: Listing) -> Case:
    case = db.session.get(Case, listing.case_id)
    assert case is not None
    return case


def labels(right: Right) -> str:
    """A right's title and number in the reader's language."""
    return f"{title_of(right)} · {right.number_display}"


def health(right: Right, qualification: str = "") -> Any:
    """The rights room's verdict on today; the seller's own pledge counts as consented by its offer. With a
    ``qualification`` the offer admits only transferees who prove that status."""
    from marketplace.rights import service

    return service.health_of(right, legal_today(), consent_needed=True, bidders_qualified=bool(qualification.strip()))


def reason_text(reason: Any) -> str:
    """A reason of a health verdict in the reader's language."""
    from marketplace.rights.words import say

    return str(say(reason.template, reason.params))


def snapshot(right: Right) -> dict[str, Any]:
    from marketplace.rights import queries

    return queries.right_snapshot(right)


def offered_elsewhere(right_ids: list[int], but: int | None) -> dict[int, tuple[str, ...]]:
    """Offers that hold these rights (alive, or sold), except ``but``."""
    rows = db.session.execute(
        select(ListingRight.right_id, Listing.id, Listing.number, Listing.title)
        .join(Listing, Listing.id == ListingRight.listing_id)
        .where(ListingRight.right_id.in_(right_ids), queries.holding(), Listing.id != (but or 0))
        .order_by(Listing.id)
    )
    found: dict[int, tuple[str, ...]] = {}
    for right_id, _listing_id, number, title in rows:
        found[right_id] = (*found.get(right_id, ()), number or title)
    return found


def documents_of(listing_id: int) -> list[Document]:
    """Documents attached to an offer, oldest first; removed ones left out."""
    return list(
        db.session.scalars(
            select(Document)
            .where(Document.subject == "listing", Document.subject_id == listing_id, Document.removed_at.is_(None))
            .order_by(Document.id)
        )
    )


QUALIFIED_ONLY = "集体商标、证明商标注册和管理办法 art. 16"


def qualification_source(listing: Listing) -> str:
    """The rule behind the status that transferees must prove: the law for the kinds that only some may hold,
    else the seller's own condition."""
    if not listing.qualification:
        return ""
    bound = any(not KINDS[Kind(item.right.kind)].any_bidder for item in listing.items)
    return QUALIFIED_ONLY if bound else "公告"


def _document_kinds(listing: Listing) -> frozenset[str]:
    return frozenset(
        db.session.scalars(
            select(Document.kind).where(
                Document.removed_at.is_(None),
                ((Document.subject == "listing") & (Document.subject_id == listing.id))
                | ((Document.subject == "case") & (Document.subject_id == listing.case_id)),
            )
        )
    )


def right_facts(listing: Listing) -> list[rules.RightFacts]:
    """The listing's rights as the gates see them today."""
    elsewhere = offered_elsewhere([item.right_id for item in listing.items], listing.id)
    rights: list[rules.RightFacts] = []
    for item in listing.items:
        verdict = health(item.right, listing.qualification)
        blocked = tuple((r.code, reason_text(r), r.source) for r in verdict.reasons if r.severity == "block")
        rights.append(rules.RightFacts(item.right_id, labels(item.right), blocked, elsewhere.get(item.right_id, ())))
    return rights


def offer_facts(listing: Listing, at: datetime) -> rules.OfferFacts:
    """The facts for the gates, read now; ``at`` is the moment of (supposed) publication."""
    case = case_of(listing)
    opens_at, ends_at = listing.planned_opens_at, listing.planned_ends_at
    profile = profile_of(listing)
    if opens_at and ends_at:
        opens_at, ends_at = rules.rehearsal_times(profile, at, opens_at, ends_at)
    return rules.OfferFacts(
        profile=profile,
        at=at,
        org_verified=parties.is_verified(listing.org_id),
        case_approved=case.state in ("approved", "listed"),
        rights=tuple(right_facts(listing)),
        texts={name: getattr(listing, name) or "" for name in rules.TEXTS},
        documents=_document_kinds(listing),
        path_basis=case.path_basis or "",
        bidder_conditions=listing.bidder_conditions,
        priority_holders=listing.priority_holders,
        warned=frozenset(code for code, ticked in listing.warnings.items() if ticked),
        start_minor=listing.start_minor,
        increment_minor=listing.increment_minor,
        deposit_minor=listing.deposit_minor,
        balance_days=listing.balance_days,
        opens_at=opens_at,
        ends_at=ends_at,
        appraisal_minor=listing.appraisal_minor,
        appraisal_date=listing.appraisal_date,
        valuation_basis=listing.valuation_basis,
        loan_principal_minor=case.loan_principal_minor,
        parties_notified_at=listing.parties_notified_at,
        licence_no=listing.licence_no,
        auctioneer=listing.auctioneer,
        labelled_auction=profile.code == "commercial",
        is_workday=is_working_day,
        holidays_until=HOLIDAYS_KNOWN_UNTIL,
    )


def findings(listing: Listing, at: datetime | None = None) -> list[Finding]:
    """All gates of the offer, as if published at ``at`` (default: now)."""
    return rules.gates(offer_facts(listing, at or now()))


def notice_data(listing: Listing, account: str = "") -> NoticeData:
    """The data of the notice. A published offer speaks from its snapshots."""
    profile = profile_of(listing)
    rights, english = [], {}
    for item in listing.items:
        shot = item.snapshot or snapshot(item.right)
        rights.append((shot["title"], shot["number"], shot["holder"] or "", tuple(burden_texts(shot))))
        if shot.get("title_en"):
            english[shot["number"]] = shot["title_en"]
    return NoticeData(
        number=listing.number,
        title=listing.title,
        seller=parties.get_org(listing.org_id).name,
        profile=profile,
        basis=case_of(listing).path_basis or "",
        rights=tuple(rights),
        start_minor=listing.start_minor,
        increment_minor=listing.increment_minor,
        deposit_minor=listing.deposit_minor,
        balance_days=listing.balance_days,
        appraisal_minor=listing.appraisal_minor,
        appraisal_date=listing.appraisal_date,
        valuation_basis=listing.valuation_basis,
        opens_at=listing.planned_opens_at,
        ends_at=listing.planned_ends_at,
        published_at=listing.published_at,
        currency=listing.currency,
        texts={name: getattr(listing, name) or "" for name in rules.TEXTS},
        bidder_conditions=listing.bidder_conditions,
        qualification=listing.qualification,
        priority_holders=listing.priority_holders,
        parties_notified_at=listing.parties_notified_at,
        notification_note=listing.notification_note,
        warned=tuple(code for code, ticked in listing.warnings.items() if ticked),
        account=account,
        titles_en=english,
    )


def round_notice_data(listing: Listing, row: NextRound, account: str, at: datetime | None = None) -> NoticeData:
    """The data of a further round's notice: its terms, the rights as snapped for it, and what came before. ``at``:
    the moment of publication, none for a preview."""
    lots = queries.rounds_of(listing.id)
    before = [(lot, state) for lot, state in lots if lot.round_no < row.round_no]
    profile = sale_of(row.after_lot_id).profile
    rung = profile.round(row.round_no)
    opens_at, ends_at = rules.rehearsal_times(profile, at or now(), row.opens_at, row.ends_at)
    data = notice_data(listing, account)
    rights = []
    for item in listing.items:
        shot = snapshot(item.right) if at is None else item.snapshot
        rights.append((shot["title"], shot["number"], shot["holder"] or "", tuple(burden_texts(shot))))
    return replace(
        data,
        number=before[0][0].code.rsplit("-", 1)[0] + f"-{row.round_no}" if before else listing.number,
        profile=profile,
        rights=tuple(rights),
        start_minor=row.start_minor,
        increment_minor=row.increment_minor,
        deposit_minor=row.deposit_minor,
        opens_at=opens_at,
        ends_at=ends_at,
        published_at=at,
        parties_notified_at=row.parties_notified_at,
        notification_note=row.notification_note,
        round_no=row.round_no,
        round_name=rung_name(profile, rung) if rung else "",
        earlier=tuple(earlier_round(lot, state, profile) for lot, state in before),
        corrections=tuple(correction.text for correction in queries.corrections_of(listing.id)),
    )


def rung_name(profile: Profile, rung: Round) -> str:
    """What a notice calls a round: 拍卖 only where a court or a licensed house sells (拍卖法 art. 11, 14)."""
    called = profile.path in ("A", "B") or bool(profile.licence_required.value)
    return rung.name_zh if called else rung.name_zh.replace("拍卖", "竞价")


def earlier_round(lot: Lot, state: LotState, profile: Profile) -> str:
    """One Chinese line on how a round ended, for the notice of the next."""
    rung = profile.round(lot.round_no)
    name = rung_name(profile, rung) if rung else ""
    ended = f"起拍价 {format_minor(lot.start_minor, lot.currency)}，竞价于{moment(state.ends_at)}结束"
    if state.state == "sold":
        result = f"成交价 {format_minor(state.price_minor or 0, lot.currency)}，买受人未付清余款，认定悔拍，重新处置"
    else:
        result = "无人出价，流拍"
    return f"第 {lot.round_no} 轮（{name}）：{ended}，{result}。"


KIND_ZH = {
    "pledge": "质押",
    "preservation": "保全",
    "licence_exclusive": "独占许可",
    "licence_sole": "排他许可",
    "licence_ordinary": "普通许可",
}


def burden_texts(shot: dict[str, Any]) -> list[str]:
    """One Chinese line for each burden of a snapshot, for the notice."""
    lines = []
    for burden in shot.get("encumbrances") or ():
        parts = [KIND_ZH.get(str(burden.get("kind")), str(burden.get("kind") or "负担"))]
        parts += [str(burden[key]) for key in ("holder", "case_no", "registration_no") if burden.get(key)]
        since, until = burden.get("from"), burden.get("until")
        if since or until:
            parts.append(f"{since or ''} 至 {until or '未定'}")
        lines.append("，".join(parts))
    return lines


def timeline(listing: Listing, at: datetime) -> list[Deadline]:
    """The computed deadlines of a draft's first round, as if published at ``at``; empty while terms lack."""
    if listing.start_minor is None or listing.planned_opens_at is None or listing.planned_ends_at is None:
        return []
    return deadlines_for(
        profile_of(listing),
        round_no=1,
        start_minor=listing.start_minor,
        published_at=listing.published_at or at,
        opens_at=listing.planned_opens_at,
        ends_at=listing.planned_ends_at,
        valuation_date=listing.appraisal_date,
        is_workday=is_working_day,
    )


def round_timeline(listing: Listing, lot: Lot, state: LotState) -> list[Deadline]:
    """The computed deadlines of a published round by its frozen profile, with its end as it stands now."""
    return deadlines_for(
        sale_of(lot.id).profile,
        round_no=lot.round_no,
        start_minor=lot.start_minor,
        published_at=lot.published_at,
        opens_at=state.opens_at,
        ends_at=state.ends_at,
        valuation_date=listing.appraisal_date,
        is_workday=is_working_day,
    )
