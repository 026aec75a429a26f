"""Registering for a lot, qualifying by the deposit, priority claims, and bars."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from marketplace.auctions.announce import announce_later
from marketplace.auctions.eligibility import deposit_for, eligibility, registration_of
from marketplace.auctions.locks import lock_lot
from marketplace.auctions.models import Award, CourseEntry, LotState, PreemptionClaim, Registration
from marketplace.auctions.rules import events as rule
from marketplace.auctions.rules.profiles import span
from marketplace.auctions.rules.state import Refused as NotAllowed
from marketplace.auctions.sale import ENDED, Sale, append_event, rules_state, sale_of
from marketplace.auctions.wording import explain
from marketplace.core import approvals
from marketplace.core.actor import SYSTEM, Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, NotFound, Problem, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.parties import service as parties

BARRED_BY = "网拍规定 art. 34"
BASES = ("service_inventor", "commissioner", "co_developer", "co_owner", "other")  # 民法典 305, 847, 859, 860


def register(actor: Actor, lot_id: int, terms_sha256: str, agent_name: str | None = None) -> Registration:
    """Register the actor's organisation, with the notice and special warnings accepted now, and open its deposit.

    Late joiners are welcome until the end (网拍规定 art. 18). Registering twice returns the first registration.
    ``terms_sha256`` is the hash of the notice that the actor accepted. Refuses with the code of the failed check
    (``eligibility.Check``), or ``terms_not_accepted`` when it is not the published notice; ``role_needed``.
    """
    from marketplace.money import service as money

    if actor.token_id is None:
        actor.require("maker")
    state, at = lock_lot(lot_id)
    sale = sale_of(lot_id)
    found = eligibility(lot_id, actor)
    if found.registration is not None and found.registration.state in ("applied", "qualified"):
        return found.registration
    for check in found.checks:
        if check.needed and not check.ok and check.code not in ("registered", "terms", "deposit", "lot_open"):
            raise Refused(check.code, check.next_step, source=check.source or None)
    if found.registration is not None:
        raise Refused("registration_ended", _l("贵机构在本标的的报名已终止，请联系平台"))
    published = sale.facts.get("notice_sha256")
    if not terms_sha256 or (published and terms_sha256 != published):
        message = _l("请阅读并确认最新的公告和特别提示")
        raise Invalid([Problem("terms_not_accepted", message, "terms", {}, "网拍规定 art. 14")])
    assert actor.org_id is not None
    row = Registration(
        lot_id=lot_id,
        org_id=actor.org_id,
        code=_new_code(lot_id),
        rank=_confirmed_rank(lot_id, actor.org_id),
        agent_name=(agent_name or "").strip() or None,
        terms_sha256=terms_sha256,
        terms_accepted_at=at,
        created_by=actor.user_id,
    )
    db.session.add(row)
    db.session.flush()
    owed = deposit_for(sale, actor.org_id)
    money.open_deposit(lot_id, actor.org_id, row.id, owed, sale.currency, state.ends_at)
    record("registration.made", "lot", lot_id, actor, registration_id=row.id)
    if owed == 0:
        qualify(row.id, actor)
        db.session.refresh(row)
    return row


def qualify(registration_id: int, actor: Actor = SYSTEM) -> bool:
    """The deposit is held or waived: the bidder may bid. Idempotent. Takes no lock on the lot, because the caller
    holds the deposit, which comes after the lot in the order of locks."""
    done = db.session.execute(
        update(Registration)
        .where(Registration.id == registration_id, Registration.state == "applied")
        .values(state="qualified", qualified_at=func.clock_timestamp())
        .returning(Registration.lot_id, Registration.org_id)
    ).one_or_none()
    if done is None:
        return False
    record("registration.qualified", "lot", done.lot_id, actor, registration_id=registration_id)
    from marketplace.auctions import letters

    letters.qualified(sale_of(done.lot_id), done.org_id)
    return True


def deposit_came(lot_id: int, org_id: int, registration_id: int, actor: Actor) -> None:
    """``deposit.held``: qualify; a deposit that comes after the end goes back like a loser's."""
    if qualify(registration_id, actor):
        db.session.expire_all()
    state = db.session.get_one(LotState, lot_id, populate_existing=True)
    if state.state in ENDED:
        from marketplace.money import service as money

        sale = sale_of(lot_id)
        due_at = now() + span(sale.profile.refund_hours, sale.profile)
        if org_id not in buyers_of(lot_id):
            money.release_deposit(lot_id, org_id, due_at, actor)


def buyers_of(lot_id: int) -> list[int]:
    """Organisations whose deposit still stands for the price: the live award's, and a waiting backup's."""
    return list(
        db.session.scalars(
            select(Award.org_id).where(
                Award.lot_id == lot_id, Award.state.in_(("offered", "awaiting_balance", "paid", "defaulted"))
            )
        )
    )


def file_preemption(
    actor: Actor, lot_id: int, basis: str, evidence: str, rank: int = 1, *, org_id: int | None = None
) -> PreemptionClaim:
    """A priority purchaser (优先购买权人) asks to be confirmed, before the start (网拍规定 art. 19).

    ``basis`` is one of `BASES`. A manager may file for an organisation (``org_id``). Filing again while it is
    undecided replaces the text. Refuses ``priority_not_allowed``, ``sale_started``, ``claim_decided``;
    faults ``basis_unknown``, ``evidence_needed``, ``rank_malformed``.
    """
    if not actor.is_manager and actor.token_id is None:
        actor.require("maker")
    claimant = org_id if actor.is_manager and org_id is not None else actor.org_id
    if claimant is None:
        raise Forbidden("organisation_needed", _l("请先登记您所代表的机构"))
    faults = []
    if basis not in BASES:
        faults.append(Problem("basis_unknown", _l("请选择优先购买权的依据"), "basis"))
    if not evidence.strip():
        faults.append(Problem("evidence_needed", _l("请说明证明材料"), "evidence"))
    if type(rank) is not int or not 1 <= rank <= 99:
        faults.append(Problem("rank_malformed", _l("顺位应为 1 至 99 的整数"), "rank"))
    if faults:
        raise Invalid(faults)
    _before_start(lot_id)
    row = db.session.scalar(
        select(PreemptionClaim).where(PreemptionClaim.lot_id == lot_id, PreemptionClaim.org_id == claimant)
    )
    if row is None:
        row = PreemptionClaim(lot_id=lot_id, org_id=claimant, created_by=actor.user_id)
        db.session.add(row)
    elif row.state != "filed":
        raise Refused("claim_decided", _l("这项优先购买权申请已经处理"))
    row.basis, row.evidence, row.rank = basis, evidence.strip(), rank
    db.session.flush()
    record("preemption.filed", "lot", lot_id, actor, claim_id=row.id)
    return row


def decide_preemption(
    actor: Actor, claim_id: int, confirm: bool, rank: int | None = None, reason: str = ""
) -> PreemptionClaim:
    """A manager confirms the priority with its rank (1 comes first), or refuses it with a reason; before the
    start. Refuses ``manager_needed``, ``claim_unknown``, ``claim_decided``, ``sale_started``, ``reason_needed``.
    """
    if not actor.is_manager:
        raise Forbidden("manager_needed", _l("须由平台管理人员操作"))
    row = db.session.get(PreemptionClaim, claim_id)
    if row is None:
        raise NotFound("claim_unknown", _l("没有这项优先购买权申请"))
    _before_start(row.lot_id)
    db.session.refresh(row)
    if row.state != "filed":
        raise Refused("claim_decided", _l("这项优先购买权申请已经处理"))
    if not confirm and not reason.strip():
        raise Refused("reason_needed", _l("请填写理由"))
    if rank is not None:
        if type(rank) is not int or not 1 <= rank <= 99:
            raise Invalid([Problem("rank_malformed", _l("顺位应为 1 至 99 的整数"), "rank")])
        row.rank = rank
    row.state = "confirmed" if confirm else "refused"
    row.decided_by, row.decided_at, row.reason = actor.user_id, now(), reason.strip() or None
    registration = registration_of(row.lot_id, row.org_id)
    if registration is not None:
        registration.rank = row.rank if confirm else None
    db.session.flush()
    record(f"preemption.{row.state}", "lot", row.lot_id, actor, claim_id=row.id, rank=row.rank)
    from marketplace.auctions import letters

    letters.preemption_decided(sale_of(row.lot_id), row.org_id, confirm, row.rank, row.reason)
    return row


@dataclass(frozen=True)
class BarEffect:
    """What a bar would do now, shown before anyone confirms it. Amounts in minor units.

    ``obstacle``: why it cannot be done (``leader``, ``already_closed``, ``already_barred``), else empty. ``bids``
    stand and ``best_minor`` is the highest of them; ``held_minor`` goes back after the end like a loser's deposit.
    """

    registration: Registration
    obstacle: str
    bids: int
    best_minor: int | None
    held_minor: int


def bar_effect(registration_id: int) -> BarEffect:
    """What barring this bidder would do as things stand; ``registration_unknown``."""
    from marketplace.money import queries as money_queries

    row = _registration(registration_id)
    state = db.session.get_one(LotState, row.lot_id, populate_existing=True)
    bids, best = db.session.execute(
        select(func.count(), func.max(CourseEntry.amount_minor)).where(
            CourseEntry.registration_id == row.id, CourseEntry.kind == "bid"
        )
    ).one()
    deposit = money_queries.deposit_of(row.lot_id, row.org_id)
    held = deposit.held_minor - deposit.released_minor if deposit is not None and deposit.state == "held" else 0
    return BarEffect(row, _bar_obstacle(row, state), bids, best, held)


def request_bar(actor: Actor, registration_id: int, reason: str, source: str = BARRED_BY) -> approvals.Approval:
    """A manager asks to keep a bidder out of this sale; another one decides (approval ``registration.bar``).
    ``manager_needed``, ``reason_missing``, ``registration_unknown``, ``leader``, ``already_closed``,
    ``already_barred``, ``approval_open``."""
    _manager(actor)
    if not reason.strip():
        raise Refused("reason_missing", _l("请填写理由"))
    row = _registration(registration_id)
    _may_be_barred(row, db.session.get_one(LotState, row.lot_id, populate_existing=True))
    return approvals.request(
        "registration.bar",
        "registration",
        row.id,
        actor,
        reason=reason.strip(),
        source=source.strip() or BARRED_BY,
        lot_id=row.lot_id,
        code=row.code,
    )


def bar_bidder(actor: Actor, registration_id: int, reason: str, source: str = BARRED_BY) -> Registration:
    """Keep a bidder out of this lot and the listing's later rounds from now on, under the lot's lock. Runs when the
    second manager approves (``request_bar``). Bids already made stand: they were valid and the course is append-only;
    the bar stands in the course by the bidder's code. A leader is not barred, not even while suspended (``leader``):
    its bid could neither be taken back nor won, so the lot is withdrawn, or another outbids it first.
    ``manager_needed``, ``reason_missing``, ``registration_unknown``, ``already_closed``, ``already_barred``."""
    _manager(actor)
    if not reason.strip():
        raise Refused("reason_missing", _l("请填写理由"))
    row = _registration(registration_id)
    state, at = lock_lot(row.lot_id)
    db.session.refresh(row)
    _may_be_barred(row, state)
    sale = sale_of(row.lot_id)
    answer = rule.bar(rules_state(sale, state), at, row.code, reason.strip())
    if isinstance(answer, NotAllowed):
        raise Refused(answer.code, explain(answer.code, dict(answer.params)), source=answer.source or None)
    append_event(row.lot_id, answer.record, actor.user_id)
    after = answer.state
    state.seq, state.last_hash, state.last_at = after.seq, after.last_hash, after.last_at
    state.version += 1
    row.state, row.state_reason = "barred", reason.strip()
    db.session.flush()
    parties.bar_org(row.org_id, sale.listing_id, reason, source, actor, lot_id=row.lot_id)
    announce_later(row.lot_id, state.version)
    record(
        "registration.barred", "lot", row.lot_id, actor, registration_id=row.id, reason=reason.strip(), source=source
    )
    from marketplace.auctions import letters

    letters.barred(sale, row.org_id, reason.strip(), source)
    return row


def _registration(registration_id: int) -> Registration:
    row = db.session.get(Registration, registration_id)
    if row is None:
        raise NotFound("registration_unknown", _l("没有这项报名"))
    return row


def _bar_obstacle(row: Registration, state: LotState) -> str:
    if row.state == "barred":
        return "already_barred"
    if state.state in ENDED:
        return "already_closed"
    return "leader" if state.leader_registration_id == row.id else ""


def _may_be_barred(row: Registration, state: LotState) -> None:
    obstacle = _bar_obstacle(row, state)
    if obstacle:
        raise Refused(obstacle, explain(obstacle, {}), source=BARRED_BY)


def _manager(actor: Actor) -> None:
    if not actor.is_manager:
        raise Forbidden("manager_needed", _l("须由平台管理人员操作"))


def _before_start(lot_id: int) -> tuple[Sale, LotState, datetime]:
    state, at = lock_lot(lot_id)
    sale = sale_of(lot_id)
    if not sale.profile.priority_right.value:
        raise Refused("priority_not_allowed", _l("本场竞价不设优先购买权"), source=sale.profile.priority_right.source)
    if state.bids or state.state in ENDED or at >= state.opens_at:
        raise Refused("sale_started", _l("竞价已经开始，优先购买权须在开始前确认"), source="网拍规定 art. 19")
    return sale, state, at


def _confirmed_rank(lot_id: int, org_id: int) -> int | None:
    return db.session.scalar(
        select(PreemptionClaim.rank).where(
            PreemptionClaim.lot_id == lot_id, PreemptionClaim.org_id == org_id, PreemptionClaim.state == "confirmed"
        )
    )


def _new_code(lot_id: int) -> str:
    """Four random digits nobody else has in this lot; five when thousands take part."""
    used = set(db.session.scalars(select(Registration.code).where(Registration.lot_id == lot_id)))
    low, high = (1_000, 10_000) if len(used) < 4_500 else (10_000, 100_000)
    while True:
        code = str(low + secrets.randbelow(high - low))
        if code not in used:
            return code


__all__ = [
    "BARRED_BY",
    "BASES",
    "bar_bidder",
    "bar_effect",
    "decide_preemption",
    "deposit_came",
    "file_preemption",
    "qualify",
    "register",
    "request_bar",
]
