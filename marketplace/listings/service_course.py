"""A published offer: suspended, resumed, withdrawn, closed, and corrected by additions.

Each act locks the listing, then the lot (through the auctions room), in one transaction.
"""

from __future__ import annotations

from datetime import datetime

from marketplace.auctions import queries as auction_queries
from marketplace.auctions import service as auctions
from marketplace.auctions.models import Lot, LotState
from marketplace.cases import service as cases
from marketplace.core import approvals, deadlines
from marketplace.core.actor import BANK, SYSTEM, Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.core.models import Approval
from marketplace.listings import facts
from marketplace.listings.models import Correction, Listing
from marketplace.listings.service_draft import locked, open_round, unknown
from marketplace.listings.service_publish import manager, need_reason
from marketplace.parties import notices

SUSPENDED_BY = "网拍规定 art. 28"
WITHDRAWN_BY = "拍变规定 art. 17"
OPEN_LOT = ("scheduled", "running", "suspended")


def lots_of(listing_id: int) -> list[tuple[Lot, LotState]]:
    return auction_queries.lots_of_listings([listing_id]).get(listing_id, [])


def suspend(actor: Actor, listing_id: int, reason: str, source: str = SUSPENDED_BY) -> Listing:
    """暂缓/中止, by one manager at once; the reason is published. Refused: ``manager_needed``, ``reason_needed``,
    ``listing_not_published``, and what the lot says (``closed``)."""
    manager(actor)
    reason = need_reason(reason)
    listing = locked(listing_id)
    if listing.state != "published":
        raise Refused("listing_not_published", _l("只有已发布的挂牌可以暂缓"))
    for lot, state in lots_of(listing_id):
        if state.state in ("scheduled", "running"):
            auctions.suspend_lot(actor, lot.id, reason, source)
    listing.state, listing.state_reason, listing.updated_at = "suspended", reason, now()
    record("listing.suspended", "listing", listing.id, actor, public=True, reason=reason, source=source)
    _tell_seller(listing, reason)
    return listing


def resume(actor: Actor, listing_id: int, reason: str, ends_at: datetime | None = None) -> Listing:
    """恢复, within 5 days after the cause ended (网拍规定 art. 28). Refused: ``listing_not_suspended`` and what the
    lot says (``end_too_early``)."""
    manager(actor)
    reason = need_reason(reason)
    listing = locked(listing_id)
    if listing.state != "suspended":
        raise Refused("listing_not_suspended", _l("此挂牌不在暂缓状态"))
    for lot, state in lots_of(listing_id):
        if state.state == "suspended":
            auctions.resume_lot(actor, lot.id, reason, ends_at)
    listing.state, listing.state_reason, listing.updated_at = "published", None, now()
    record("listing.resumed", "listing", listing.id, actor, public=True, reason=reason)
    _tell_seller(listing, reason)
    return listing


def withdraw(actor: Actor, listing_id: int, reason: str, source: str = WITHDRAWN_BY) -> Approval:
    """A manager asks to withdraw (撤回), also after a round that failed; another one decides (approval
    ``listing.withdraw``). Refused: ``manager_needed``, ``reason_needed``, ``listing_not_published``,
    ``round_on_its_way``, ``approval_open``."""
    manager(actor)
    reason = need_reason(reason)
    listing = locked(listing_id)
    _may_be_withdrawn(listing)
    return approvals.request("listing.withdraw", "listing", listing.id, actor, reason=reason, source=source)


def withdrawn(approval: Approval, actor: Actor) -> None:
    """The second manager agreed: the sale ends without a buyer, deposits go back; after a failed round nothing more
    follows it."""
    listing = locked(approval.subject_id)
    _may_be_withdrawn(listing)
    draft = open_round(listing.id, lock=True)
    if draft is not None:
        draft.state, draft.updated_at = "dropped", now()
    reason, source = approval.data["reason"], approval.data.get("source", WITHDRAWN_BY)
    for lot, state in lots_of(listing.id):
        if state.state in OPEN_LOT:
            auctions.withdraw_lot(actor, lot.id, reason, source)
    if listing.state == "closed":
        auctions.no_next_round(lots_of(listing.id)[-1][0].id, actor)
    listing.state, listing.state_reason, listing.updated_at = "withdrawn", reason, now()
    db.session.flush()
    record("listing.withdrawn", "listing", listing.id, actor, public=True, reason=reason, source=source)
    if not _live_offers(listing):
        cases.mark_unlisted(listing.case_id, actor)
    _tell_seller(listing, reason)


def _may_be_withdrawn(listing: Listing) -> None:
    """Published, suspended, or closed by a round that failed: then the seller need not hold another one."""
    lots = lots_of(listing.id)
    failed = listing.state == "closed" and bool(lots) and auctions.failure_of(lots[-1][0].id) is not None
    if listing.state not in ("published", "suspended") and not failed:
        raise Refused("listing_not_published", _l("只有已发布的挂牌可以撤回"))
    waiting = open_round(listing.id)
    asked = approvals.open_approval("listing.round_submit", "listing", listing.id)
    if waiting is not None and (waiting.state != "draft" or asked):
        raise Refused("round_on_its_way", _l("下一轮正在复核或者审核，请先退回再撤回"))


def ask_withdrawal(actor: Actor, listing_id: int, reason: str) -> Listing:
    """The bank asks the platform to withdraw its published offer; two managers decide. Refused: ``bank_needed``,
    ``reason_needed``, ``listing_not_published``."""
    if actor.org_kind != BANK or actor.org_id is None:
        raise Forbidden("bank_needed", _l("只有银行可以申请撤回"))
    actor.require("approver")
    reason = need_reason(reason)
    listing = locked(listing_id)
    if listing.org_id != actor.org_id:
        raise unknown()
    _may_be_withdrawn(listing)
    record("listing.withdrawal_asked", "listing", listing.id, actor, reason=reason)
    notices.notify_managers(
        _l("银行申请撤回挂牌"),
        _l("%(number)s：%(reason)s", number=listing.number, reason=reason),
        link=f"/manage/listings/{listing.id}",
    )
    return listing


def correct(actor: Actor, listing_id: int, text: str) -> Correction:
    """更正公告: a dated public addition. It never changes the terms; after the first bid it is refused
    (``bids_exist``), since it could mislead those who have bid. By the seller's approver or a manager."""
    text = text.strip()
    listing = locked(listing_id)
    if listing.org_id != actor.org_id and not actor.is_manager:
        raise unknown()
    actor.require("approver")
    if listing.state not in ("published", "suspended"):
        raise Refused("listing_not_published", _l("只有已发布的挂牌可以更正"))
    if not text or len(text) > 5000:
        raise Refused("correction_text", _l("请填写更正内容，不超过 5000 字"))
    for lot, state in lots_of(listing_id):
        if state.state in OPEN_LOT:
            auctions.require_no_bids(lot.id)
    if actor.user_id is None:
        raise Forbidden("person_needed", _l("此操作须由本机构的成员提出"))
    row = Correction(listing_id=listing.id, text=text, made_by=actor.user_id)
    db.session.add(row)
    db.session.flush()
    record("listing.corrected", "listing", listing.id, actor, public=True, correction_id=row.id)
    return row


def follow_later(listing_id: int) -> None:
    """Its lot changed: look at the listing in a transaction of its own. The lot's lock is held now, and a listing is
    locked before its lots."""
    deadlines.schedule("listing.follow", "listing", listing_id, now())


def follow(listing_id: int) -> None:
    """Bring the listing to the state of its latest round. Runs any number of times to the same end."""
    listing = locked(listing_id)
    lots = lots_of(listing_id)
    if listing.state not in ("published", "suspended", "closed") or not lots:
        return
    _lot, state = lots[-1]
    ended = state.state in ("sold", "unsold")
    target = "closed" if ended else "suspended" if state.state == "suspended" else "published"
    if state.state == "withdrawn":
        target = "withdrawn"
    if target != listing.state:
        listing.state, listing.updated_at = target, now()
        listing.state_reason = state.state_reason if target in ("suspended", "withdrawn") else None
        db.session.flush()
        record(f"listing.{target}", "listing", listing.id, SYSTEM, public=True, sale=state.state)
    if state.after_sale == "completed" and not _live_offers(listing):
        case = facts.case_of(listing)
        if case.state == "listed":
            cases.close_case(case.id, SYSTEM)
    if target == "withdrawn" and not _live_offers(listing) and facts.case_of(listing).state == "listed":
        cases.mark_unlisted(listing.case_id, SYSTEM)


def _live_offers(listing: Listing) -> bool:
    """Whether another offer of the same case is before the public."""
    return (
        db.session.query(Listing.id)
        .filter(
            Listing.case_id == listing.case_id,
            Listing.id != listing.id,
            Listing.state.in_(("published", "suspended")),
        )
        .first()
        is not None
    )


def _tell_seller(listing: Listing, reason: str) -> None:
    notices.notify_org(
        listing.org_id,
        _l("挂牌状态有变"),
        _l("%(number)s “%(title)s”：%(reason)s", number=listing.number, title=listing.title, reason=reason),
        link=f"/listings/{listing.number}",
    )
