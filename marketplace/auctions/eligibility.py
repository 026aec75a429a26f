"""May this organisation bid on this lot? Named checks, each with what to do next, shown before anyone pays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from marketplace.auctions.models import LotState, PreemptionClaim, Qualification, Registration
from marketplace.auctions.rules.pricing import creditor_deposit
from marketplace.auctions.sale import ENDED, Sale, sale_of
from marketplace.core.actor import Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.i18n import _
from marketplace.core.money import format_minor
from marketplace.parties import service as parties


@dataclass(frozen=True)
class Check:
    """One condition of taking part. ``needed`` is False for what one may go without (priority right)."""

    code: str
    ok: bool
    text: str
    next_step: str = ""
    source: str = ""
    needed: bool = True


@dataclass(frozen=True)
class Eligibility:
    """``deposit_minor`` is what this organisation would have to pay; ``waived_minor`` what a creditor is spared.

    ``may_register``: nothing that cannot be done after registering stands in the way. ``may_bid``: all holds.
    """

    checks: tuple[Check, ...]
    deposit_minor: int
    waived_minor: int
    currency: str
    registration: Registration | None

    @property
    def may_bid(self) -> bool:
        return all(check.ok for check in self.checks if check.needed)

    @property
    def may_register(self) -> bool:
        later = ("registered", "terms", "deposit", "priority", "lot_open")
        return self.registration is None and all(c.ok for c in self.checks if c.needed and c.code not in later)

    def check(self, code: str) -> Check:
        return next(check for check in self.checks if check.code == code)


def deposit_for(sale: Sale, org_id: int) -> int:
    """The deposit this organisation owes, minor units: the applicant creditor pays none, or the difference when
    the claim is smaller than the deposit (网拍规定 art. 17)."""
    return creditor_deposit(
        sale.profile,
        deposit_minor=sale.deposit_minor,
        claim_minor=sale.claim_minor or 0,
        is_applicant_creditor=org_id == sale.seller_id,
    )


def registration_of(lot_id: int, org_id: int) -> Registration | None:
    return db.session.scalar(select(Registration).where(Registration.lot_id == lot_id, Registration.org_id == org_id))


def eligibility(lot_id: int, actor: Actor, registration: Registration | None = None) -> Eligibility:
    """Every check for the actor's organisation, in the order in which one meets them; ``lot_unknown``.
    ``registration``: the organisation's own, where the caller has just read it.

    Codes: ``signed_in``, ``organisation_verified``, ``seller_side``, ``not_barred``, ``qualification`` (where the
    notice asks for a status), ``lot_accepts``, ``registered``, ``terms``, ``deposit``, ``priority`` (not needed),
    ``lot_open``.
    """
    sale = sale_of(lot_id)
    state = db.session.get_one(LotState, lot_id)
    org_id = actor.org_id
    if org_id is None:
        text = _("代表机构登录")
        check = Check("signed_in", False, text, _("请先登录并登记您所代表的机构"))
        return Eligibility((check,), sale.deposit_minor, 0, sale.currency, None)
    registration = registration or registration_of(lot_id, org_id)
    at = now()
    claim = db.session.scalar(
        select(PreemptionClaim).where(PreemptionClaim.lot_id == lot_id, PreemptionClaim.org_id == org_id)
    )
    owed = deposit_for(sale, org_id)
    status = _of_the_status(sale, org_id)
    checks = (
        *_of_the_organisation(sale, org_id, registration),
        *status,
        _accepting(state, at),
        *_of_the_registration(sale, registration, owed, claim, held_back=any(not check.ok for check in status)),
        _open(state, at),
    )
    return Eligibility(checks, owed, sale.deposit_minor - owed, sale.currency, registration)


def _of_the_organisation(sale: Sale, org_id: int, registration: Registration | None) -> list[Check]:
    rule = sale.profile.seller_may_bid
    own_side = parties.related(org_id, sale.seller_id)
    bar = parties.barred(org_id, sale.listing_id)
    locked_out = bar is not None or (registration is not None and registration.state == "barred")
    reason: Any = bar.reason if bar else registration.state_reason if registration else ""
    return [
        Check("signed_in", True, _("代表机构登录")),
        Check(
            "organisation_verified",
            parties.is_verified(org_id),
            _("机构已通过核验"),
            _("请提交机构资料，核验通过后即可报名"),
            "网拍规定 art. 14",
        ),
        Check(
            "seller_side",
            bool(rule.value) or not own_side,
            _("不是处置方及其关联方"),
            _("处置方及其关联方不得参加竞价"),
            rule.source,
        ),
        Check(
            "not_barred",
            not locked_out,
            _("未被限制参加"),
            _("贵机构被限制参加：%(reason)s。如有异议请联系平台", reason=reason or ""),
            (bar.source if bar else "") or sale.profile.default_bars_buyer.source,
        ),
    ]


def qualification_of(lot_id: int, org_id: int) -> Qualification | None:
    """The organisation's proof for this lot, as it stands."""
    return db.session.scalar(
        select(Qualification)
        .where(Qualification.lot_id == lot_id, Qualification.org_id == org_id)
        .execution_options(populate_existing=True)
    )


def _of_the_status(sale: Sale, org_id: int) -> list[Check]:
    """Where only qualified transferees are admitted: the bidder's proof, confirmed by a manager before it pays."""
    if not sale.facts.get("qualification"):
        return []
    row = qualification_of(sale.lot_id, org_id)
    if row is None:
        advice = _("本标的限符合受让资格的机构参加。请先提交证明文件，确认后再报名交纳保证金")
    elif row.state == "filed":
        advice = _("受让资格证明正在审核，结果以邮件通知；确认前请勿交纳保证金")
    else:
        advice = _("受让资格未获确认：%(reason)s。可以补充材料后重新提交", reason=row.reason or "")
    confirmed = row is not None and row.state == "confirmed"
    return [Check("qualification", confirmed, _("符合受让资格"), advice, sale.facts.get("qualification_source", ""))]


def _of_the_registration(
    sale: Sale, registration: Registration | None, owed: int, claim: PreemptionClaim | None, *, held_back: bool
) -> list[Check]:
    """``held_back``: the bidder's status is not confirmed yet, so nothing is asked of it now."""
    # what a barred bidder did before stands: only the bar keeps it out
    live = registration is not None and registration.state in ("applied", "qualified", "barred")
    qualified = live and registration is not None and registration.qualified_at is not None
    terms = registration is not None and registration.terms_accepted_at is not None
    amount = format_minor(owed, sale.currency)
    checks = [
        Check(
            "registered",
            live,
            _("已报名"),
            _("受让资格确认后方可报名") if held_back else _("请报名，报名后即可交纳保证金；竞价结束前均可报名"),
            "网拍规定 art. 18",
        ),
        Check(
            "terms",
            live and terms,
            _("已确认公告和特别提示"),
            _("报名时请阅读并确认公告和特别提示"),
            "网拍规定 art. 14",
        ),
        Check(
            "deposit",
            qualified,
            _("保证金已到账") if owed else _("申请债权人免交保证金"),
            _("受让资格确认并报名之后再交纳保证金 %(amount)s", amount=amount)
            if held_back and owed
            else _("请按报名页所列账户和附言转账 %(amount)s，到账确认后即可出价", amount=amount)
            if owed
            else _("报名后即可出价"),
            "网拍规定 art. 17, 18",
        ),
    ]
    if claim is not None:
        checks.append(
            Check(
                "priority",
                claim.state == "confirmed",
                _("优先购买权已确认"),
                _("优先购买权申请未获确认，您可以按普通竞买人参加")
                if claim.state == "refused"
                else _("优先购买权申请正在审核；开始前未确认的，按普通竞买人参加"),
                "网拍规定 art. 19",
                needed=False,
            )
        )
    return checks


def _accepting(state: LotState, at: datetime) -> Check:
    accepting = state.state not in ENDED and at < state.ends_at
    return Check("lot_accepts", accepting, _("标的接受报名"), _("竞价已经结束或者标的已撤回"), "网拍规定 art. 18")


def _open(state: LotState, at: datetime) -> Check:
    is_open = state.state in ("scheduled", "running") and state.opens_at <= at < state.ends_at
    if state.state == "suspended":
        advice = _("竞价已暂停，恢复时将另行公告")
    elif at < state.opens_at:
        advice = _("请等待竞价开始")
    else:
        advice = _("竞价已经结束")
    return Check("lot_open", is_open, _("竞价进行中"), advice, "网拍规定 art. 20")
