"""A lot's life up to its end: scheduled, opened, suspended, resumed, prolonged, withdrawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marketplace.auctions.announce import announce_later
from marketplace.auctions.locks import lock_lot
from marketplace.auctions.models import Lot, LotState
from marketplace.auctions.rules import events as rule
from marketplace.auctions.rules.chain import genesis
from marketplace.auctions.rules.course import lot_facts
from marketplace.auctions.rules.formats import FORMATS
from marketplace.auctions.rules.profiles import Profile
from marketplace.auctions.rules.state import Accepted
from marketplace.auctions.rules.state import Refused as NotAllowed
from marketplace.auctions.sale import Sale, append_event, rules_state, sale_of
from marketplace.auctions.wording import explain
from marketplace.core import approvals, deadlines
from marketplace.core.actor import SYSTEM, Actor
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, Problem, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l


@dataclass(frozen=True)
class LotPlan:
    """All that a round freezes at publication. Amounts in minor units, moments aware, ``balance_days`` days.

    ``facts``: what is sold, as published. Known members: ``number`` (of the listing), ``rights`` (snapshots),
    ``notice_sha256`` (of the published notice and warnings), ``warnings``, ``seller_name``, ``handover``.
    """

    listing_id: int
    org_id: int
    title: str
    profile: dict[str, Any]
    start_minor: int
    increment_minor: int
    deposit_minor: int
    balance_days: int
    published_at: datetime
    opens_at: datetime
    ends_at: datetime
    round_no: int = 1
    previous_lot_id: int | None = None
    currency: str = "CNY"
    appraisal_minor: int | None = None
    claim_minor: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def schedule_lot(plan: LotPlan, actor: Actor = SYSTEM) -> Lot:
    """Write a round of a listing's sale and what falls due: ``lot.open`` and ``lot.close``.

    The caller has checked the terms (``rules.pricing.check_terms``). Refuses ``round_unknown``,
    ``format_unknown`` (a rung whose format is not kept yet), ``times_out_of_order``.
    """
    profile = Profile.from_json(plan.profile)
    rung = profile.round(plan.round_no)
    if rung is None:
        raise Invalid([Problem("round_unknown", _l("规则中没有这一轮次"), "round_no")])
    if rung.format not in FORMATS:
        raise Invalid([Problem("format_unknown", _l("暂不支持这种竞价方式"), "profile")])
    if not plan.published_at <= plan.opens_at < plan.ends_at:
        raise Invalid(
            [Problem("times_out_of_order", _l("结束时间应当晚于开始时间，开始时间不早于公告时间"), "ends_at")]
        )
    code = f"{plan.facts.get('number') or f'L{plan.listing_id}'}-{plan.round_no}"
    first_hash = genesis(
        lot_facts(
            profile,
            lot_code=code,
            round_no=plan.round_no,
            title=plan.title,
            format=rung.format,
            currency=plan.currency,
            start_minor=plan.start_minor,
            increment_minor=plan.increment_minor,
            deposit_minor=plan.deposit_minor,
            published_at=plan.published_at,
            opens_at=plan.opens_at,
            ends_at=plan.ends_at,
            notice_sha256=plan.facts.get("notice_sha256"),
        )
    )
    lot = Lot(
        listing_id=plan.listing_id,
        org_id=plan.org_id,
        code=code,
        round_no=plan.round_no,
        previous_lot_id=plan.previous_lot_id,
        title=plan.title,
        format=rung.format,
        profile=plan.profile,
        sandbox=profile.sandbox,
        currency=plan.currency,
        appraisal_minor=plan.appraisal_minor,
        start_minor=plan.start_minor,
        increment_minor=plan.increment_minor,
        deposit_minor=plan.deposit_minor,
        balance_days=plan.balance_days,
        published_at=plan.published_at,
        opens_at=plan.opens_at,
        planned_ends_at=plan.ends_at,
        genesis_hash=first_hash,
        facts=plan.facts,
        claim_minor=plan.claim_minor,
    )
    db.session.add(lot)
    db.session.flush()
    db.session.add(
        LotState(
            lot_id=lot.id,
            opens_at=plan.opens_at,
            ends_at=plan.ends_at,
            scheduled_ends_at=plan.ends_at,
            last_hash=first_hash,
        )
    )
    db.session.flush()
    deadlines.schedule("lot.open", "lot", lot.id, plan.opens_at, plan.org_id)
    deadlines.schedule("lot.close", "lot", lot.id, plan.ends_at, plan.org_id)
    record("lot.scheduled", "lot", lot.id, actor, public=True, listing_id=plan.listing_id, code=code)
    return lot


def open_lot(lot_id: int) -> datetime | None:
    """The handler of ``lot.open``: the lot is shown as running. A bid may have done so a moment before; the
    opening itself is a frozen fact of the course, so it needs no entry."""
    row, now = lock_lot(lot_id)
    if row.state != "scheduled":
        return None
    if now < row.opens_at:
        return row.opens_at
    row.state = "running"
    _changed(row)
    record("lot.opened", "lot", lot_id, public=True, listing_id=sale_of(lot_id).listing_id)
    return None


def suspend_lot(actor: Actor, lot_id: int, reason: str, source: str = "网拍规定 art. 28") -> LotState:
    """暂缓/中止, by one manager alone, at once: no bids until resumed; the time left is kept.

    ``reason`` is published. Refuses ``manager_needed``, ``reason_missing``, ``closed``, ``withdrawn``,
    ``suspended``.
    """
    _manager(actor)
    row, now = lock_lot(lot_id)
    sale = sale_of(lot_id)
    answer = _allowed(rule.suspend(rules_state(sale, row), now, reason), sale)
    _apply(sale, row, answer, actor, reason, source)
    deadlines.cancel("lot.close", "lot", lot_id)
    deadlines.cancel("lot.open", "lot", lot_id)
    record("lot.suspended", "lot", lot_id, actor, public=True, listing_id=sale.listing_id, reason=reason.strip())
    return row


def resume_lot(
    actor: Actor, lot_id: int, reason: str, ends_at: datetime | None = None, source: str = "网拍规定 art. 28"
) -> LotState:
    """恢复: to be done within 5 days after the cause ended. The end moves so that at least the time that was left
    remains, at least one extension; a later ``ends_at`` may be given.

    Refuses ``manager_needed``, ``reason_missing``, ``closed``, ``withdrawn``, ``not_suspended``,
    ``end_too_early``.
    """
    _manager(actor)
    row, now = lock_lot(lot_id)
    sale = sale_of(lot_id)
    answer = _allowed(rule.resume(rules_state(sale, row), now, reason, sale.profile, ends_at), sale)
    _apply(sale, row, answer, actor, None, None)
    deadlines.schedule("lot.close", "lot", lot_id, row.ends_at, sale.seller_id)
    if row.state == "scheduled":
        deadlines.schedule("lot.open", "lot", lot_id, row.opens_at, sale.seller_id)
    record("lot.resumed", "lot", lot_id, actor, public=True, listing_id=sale.listing_id, reason=reason.strip())
    return row


def request_withdrawal(actor: Actor, lot_id: int, reason: str, source: str = "拍变规定 art. 17") -> approvals.Approval:
    """A manager asks to withdraw the lot; another one decides (approval ``lot.withdraw``). ``manager_needed``,
    ``reason_missing``, ``approval_open``."""
    _manager(actor)
    if not reason.strip():
        raise Refused("reason_missing", _l("请填写理由"))
    sale_of(lot_id)
    return approvals.request("lot.withdraw", "lot", lot_id, actor, reason=reason.strip(), source=source)


def withdraw_lot(actor: Actor, lot_id: int, reason: str, source: str = "拍变规定 art. 17") -> LotState:
    """撤回: the sale ends without a buyer and every deposit is released. Runs when the second person approves
    (``request_withdrawal``), or when the withdrawal of the listing was approved by two.

    Refuses ``manager_needed``, ``reason_missing``, ``closed`` (already decided), ``withdrawn``.
    """
    from marketplace.auctions.service_close import release_deposits

    _manager(actor)
    row, now = lock_lot(lot_id)
    sale = sale_of(lot_id)
    answer = _allowed(rule.withdraw(rules_state(sale, row), now, reason), sale)
    _apply(sale, row, answer, actor, reason, source)
    deadlines.cancel("lot.close", "lot", lot_id)
    deadlines.cancel("lot.open", "lot", lot_id)
    release_deposits(sale, [], now, actor)
    record("lot.withdrawn", "lot", lot_id, actor, public=True, listing_id=sale.listing_id, reason=reason.strip())
    return row


def prolong_lot(actor: Actor, row: LotState, now: datetime, ends_at: datetime, reason: str) -> LotState:
    """顺延 a lot that the caller has locked: the end moves forwards, is announced and stands in the course."""
    sale = sale_of(row.lot_id)
    answer = _allowed(rule.prolong(rules_state(sale, row), now, ends_at, reason), sale)
    _apply(sale, row, answer, actor, row.state_reason, row.state_source)
    record("lot.prolonged", "lot", row.lot_id, actor, public=True, listing_id=sale.listing_id, reason=reason)
    return row


def require_no_bids(lot_id: int) -> None:
    """A material fact of a published lot may not change once there are bids: ``bids_exist``."""
    row, _now = lock_lot(lot_id)
    if row.bids:
        raise Refused("bids_exist", _l("已有出价，标的信息不得再作实质变更，请撤回后重新公告"))


def _manager(actor: Actor) -> None:
    if not (actor.is_manager or actor.is_system):
        raise Forbidden("manager_needed", _l("须由平台管理人员操作"))


def _allowed(answer: Accepted | NotAllowed, sale: Sale) -> Accepted:
    if isinstance(answer, NotAllowed):
        params = dict(answer.params)
        raise Refused(answer.code, explain(answer.code, params, sale.currency), source=answer.source or None, **params)
    return answer


def _apply(sale: Sale, row: LotState, answer: Accepted, actor: Actor, reason: str | None, source: str | None) -> None:
    append_event(sale.lot_id, answer.record, actor.user_id)
    after = answer.state
    row.state = after.state
    row.ends_at, row.scheduled_ends_at = after.ends_at, after.scheduled_ends_at
    row.suspended_at = after.suspended_at
    row.state_reason, row.state_source = reason.strip() if reason else None, source
    row.seq, row.last_hash, row.last_at = after.seq, after.last_hash, after.last_at
    _changed(row)


def _changed(row: LotState) -> None:
    row.version += 1
    db.session.flush()
    announce_later(row.lot_id, row.version)
