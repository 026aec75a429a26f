"""The round after a failed one: what the ladder allows, and scheduling it with everything carried over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from marketplace.auctions.locks import lock_lot
from marketplace.auctions.models import Award, Lot, LotResult, LotState, PreemptionClaim, Qualification, Registration
from marketplace.auctions.rules.findings import Finding
from marketplace.auctions.rules.ladder import NextStep, next_step
from marketplace.auctions.rules.pricing import check_terms
from marketplace.auctions.sale import sale_of
from marketplace.auctions.service_after import release_all
from marketplace.auctions.service_lots import LotPlan, schedule_lot
from marketplace.core import deadlines
from marketplace.core.actor import Actor
from marketplace.core.calendar import HOLIDAYS_KNOWN_UNTIL, is_working_day
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, Problem, Refused
from marketplace.core.i18n import _l
from marketplace.parties import service as parties


@dataclass(frozen=True)
class RoundTerms:
    """The terms of the next round; amounts in minor units, moments aware.

    ``facts`` are laid over those of the round before: ``notice_sha256``, ``rights``, ``handover``. The last three
    carry what the price basis and the notification rest on (参考价规定 art. 27; 网拍规定 art. 16).
    """

    start_minor: int
    increment_minor: int
    deposit_minor: int
    published_at: datetime
    opens_at: datetime
    ends_at: datetime
    facts: dict[str, Any] | None = None
    parties_notified_at: datetime | None = None
    valuation_date: Any = None
    first_notice_at: datetime | None = None


@dataclass(frozen=True)
class Failure:
    """How a round failed: ``unsold`` at its close, or ``defaulted`` when the last award ended."""

    how: str
    at: datetime


def failure_of(lot_id: int) -> Failure | None:
    """Whether and when the round failed, so that another may follow; None while it may still sell. A round after
    which another stands did its part."""
    state = db.session.get_one(LotState, lot_id, populate_existing=True)
    return None if _following(lot_id) else _failure(state)


def _failure(state: LotState) -> Failure | None:
    result = db.session.get(LotResult, state.lot_id)
    if result is None:
        return None
    if state.state == "unsold":
        return Failure("unsold", result.closed_at)
    if state.state == "sold" and state.after_sale == "defaulted":
        ended = db.session.scalar(select(func.max(Award.ended_at)).where(Award.lot_id == state.lot_id))
        return Failure("defaulted", ended or result.closed_at)
    return None


def next_step_of(lot_id: int) -> NextStep | None:
    """What the frozen profile allows after this round as things stand now; None while it has not failed."""
    failure = failure_of(lot_id)
    if failure is None:
        return None
    sale, lot = sale_of(lot_id), db.session.get_one(Lot, lot_id)
    return next_step(
        sale.profile,
        round_no=sale.round_no,
        start_minor=sale.start_minor,
        increment_minor=sale.increment_minor,
        deposit_minor=sale.deposit_minor,
        length=sale.planned_ends_at - sale.opens_at,
        appraisal_minor=lot.appraisal_minor,
        failed_at=failure.at,
        at=now(),
        within_applies=failure.how == "unsold",
        is_workday=is_working_day,
    )


def check_next_round(lot_id: int, terms: RoundTerms) -> list[Finding]:
    """What the ladder says against these terms, all at once (网拍规定 art. 10, 12, 16, 17, 20, 26). After a default
    the term for the next round only warns: the law counts it from a round without a bid."""
    sale = sale_of(lot_id)
    lot = db.session.get_one(Lot, lot_id)
    state = db.session.get_one(LotState, lot_id)
    failure = _failure(state)
    found = check_terms(
        sale.profile,
        round_no=sale.round_no + 1,
        appraisal_minor=lot.appraisal_minor,
        previous_start_minor=sale.start_minor,
        start_minor=terms.start_minor,
        increment_minor=terms.increment_minor,
        deposit_minor=terms.deposit_minor,
        published_at=terms.published_at,
        opens_at=terms.opens_at,
        ends_at=terms.ends_at,
        previous_ended_at=failure.at if failure else state.last_at or state.ends_at,
        parties_notified_at=terms.parties_notified_at,
        valuation_date=terms.valuation_date,
        first_notice_at=terms.first_notice_at,
        is_workday=is_working_day,
        holidays_until=HOLIDAYS_KNOWN_UNTIL,
    )
    if failure is not None and failure.how == "defaulted":
        found = [replace(f, severity="warn") if f.code == "reauction_too_late" else f for f in found]
    return found


def schedule_next_round(actor: Actor, lot_id: int, terms: RoundTerms) -> Lot:
    """The next round after an unsold round or a default, on the same frozen profile, with the facts, the priority
    claims and the proofs of qualification carried over. To be called after a second person agreed (publication).
    A manager's act. ``manager_needed``, ``not_failed``, ``round_exists``; faults: every finding that refuses, at its
    field."""
    if not (actor.is_manager or actor.is_system):
        raise Forbidden("manager_needed", _l("须由平台管理人员操作"))
    state, at = lock_lot(lot_id)
    sale = sale_of(lot_id)
    if _failure(state) is None:
        raise Refused("not_failed", _l("本轮未流拍，买受人也未悔拍，不能安排下一轮"))
    if _following(lot_id):
        raise Refused("round_exists", _l("下一轮已经安排"))
    faults = [
        Problem(f.code, _l("下一轮的价格或者时间不符合规则"), f.field, f.params, f.source)
        for f in check_next_round(lot_id, terms)
        if f.severity == "refuse"
    ]
    if faults:
        raise Invalid(faults)
    before = db.session.get_one(Lot, lot_id)
    release_all(sale, at, actor)
    deadlines.cancel("lot.next_round_due", "lot", lot_id)
    lot = schedule_lot(
        LotPlan(
            listing_id=before.listing_id,
            org_id=before.org_id,
            title=before.title,
            profile=before.profile,
            start_minor=terms.start_minor,
            increment_minor=terms.increment_minor,
            deposit_minor=terms.deposit_minor,
            balance_days=before.balance_days,
            published_at=terms.published_at,
            opens_at=terms.opens_at,
            ends_at=terms.ends_at,
            round_no=before.round_no + 1,
            previous_lot_id=before.id,
            currency=before.currency,
            appraisal_minor=before.appraisal_minor,
            claim_minor=before.claim_minor,
            facts={**before.facts, **(terms.facts or {})},
        ),
        actor,
    )
    _carry_over(before, lot)
    return lot


def no_next_round(lot_id: int, actor: Actor) -> None:
    """The seller gives the offer up after a failed round: nobody is reminded of a next one, no deposit is held."""
    _state, at = lock_lot(lot_id)
    release_all(sale_of(lot_id), at, actor)
    deadlines.cancel("lot.next_round_due", "lot", lot_id)


def _following(lot_id: int) -> bool:
    return db.session.scalar(select(Lot.id).where(Lot.previous_lot_id == lot_id)) is not None


def _carry_over(before: Lot, lot: Lot) -> None:
    """Priority claims and proofs of qualification go along as they stand, but not those of a barred organisation
    and not what was refused: that may be filed anew."""
    kinds: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (PreemptionClaim, ("org_id", "basis", "rank", "evidence", "state", "decided_by", "decided_at", "reason")),
        (Qualification, ("org_id", "statement", "state", "decided_by", "decided_at", "reason")),
    )
    for kind, columns in kinds:
        for row in db.session.scalars(select(kind).where(kind.lot_id == before.id, kind.state != "refused")).all():
            if parties.barred(row.org_id, lot.listing_id) is None:
                values = {name: getattr(row, name) for name in columns}
                db.session.add(kind(lot_id=lot.id, created_by=row.created_by, **values))
    db.session.flush()


def registered_before(lot_id: int) -> list[int]:
    """Organisations that took part in this round and may take part in the next: to be told of it."""
    listing_id = sale_of(lot_id).listing_id
    ids = db.session.scalars(
        select(Registration.org_id)
        .where(Registration.lot_id == lot_id, Registration.state.in_(("applied", "qualified")))
        .order_by(Registration.org_id)
    )
    claims = db.session.scalars(select(PreemptionClaim.org_id).where(PreemptionClaim.lot_id == lot_id))
    return [org_id for org_id in sorted({*ids, *claims}) if parties.barred(org_id, listing_id) is None]
