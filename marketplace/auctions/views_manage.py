"""The manager's and the seller's side of a sale. Names of bidders only on request, and each look is recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from marketplace.auctions import completion, queries, service, showing
from marketplace.auctions.evidence import files_of
from marketplace.auctions.forms import BASIS_NAMES, DecideClaimForm, ReasonForm
from marketplace.auctions.models import Award, PreemptionClaim, Registration
from marketplace.auctions.sale import ENDED, sale_of
from marketplace.auctions.service_rounds import failure_of
from marketplace.auctions.views import bp
from marketplace.auctions.views_admission import proofs_for_manager
from marketplace.auctions.views_part import CLAIM_STATES, DEPOSIT_STATES, REGISTRATION_STATES
from marketplace.auctions.wording import explain
from marketplace.core.access import access, current_actor, manager, member
from marketplace.core.approvals import open_approval
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Invalid, NotFound, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _, _l
from marketplace.core.models import Approval
from marketplace.money import queries as money
from marketplace.parties import service as parties

KEPT_IN_LIST = timedelta(days=60)
AHEAD = timedelta(days=3650)


@bp.get("/manage/lots")
@access(manager)
def manage_lots() -> ResponseReturnValue:
    """Sales that run, will run, or ended lately: price, bidders, end, and what needs attention."""
    at = now()
    found = queries.lots_ending_between(at - KEPT_IN_LIST, at + AHEAD)
    ids = [lot.id for lot, _state in found]
    bidders = _counts(
        select(Registration.lot_id, func.count()).where(Registration.lot_id.in_(ids)), Registration.lot_id
    )
    filed = select(PreemptionClaim.lot_id, func.count()).where(
        PreemptionClaim.lot_id.in_(ids), PreemptionClaim.state == "filed"
    )
    claims = _counts(filed, PreemptionClaim.lot_id)
    late = set(
        db.session.scalars(
            select(Award.lot_id).where(
                Award.lot_id.in_(ids), Award.state == "awaiting_balance", Award.balance_due_at <= at
            )
        )
    )
    rows: list[dict[str, Any]] = []
    for lot, state in found:
        flags = []
        if state.state in ("scheduled", "running") and state.ends_at < at - timedelta(seconds=10):
            flags.append((_("到时未结束"), "bad"))
        if claims.get(lot.id):
            flags.append((_("优先购买权待审核"), "warn"))
        if lot.id in late:
            flags.append((_("余款逾期"), "bad"))
        if state.state == "running" and not state.bids:
            flags.append((_("尚无出价"), "neutral"))
        rows.append({"lot": lot, "state": state, "bidders": bidders.get(lot.id, 0), "flags": flags})
    rows.sort(key=lambda row: (row["state"].state in ENDED, _order(row, at)))
    return render_template("auctions/manage_lots.html", **(showing.COMMON | {"rows": rows, "now": at}))


def _order(row: dict[str, Any], at: Any) -> float:
    """Soonest end first among the open, latest end first among the ended."""
    seconds: float = (row["state"].ends_at - at).total_seconds()
    return -seconds if row["state"].state in ENDED else seconds


def _counts(query: Any, column: Any) -> dict[int, int]:
    return {row[0]: row[1] for row in db.session.execute(query.group_by(column))}


@bp.get("/manage/lots/<int:lot_id>")
@access(manager)
def manage_lot(lot_id: int) -> ResponseReturnValue:
    return manage_view(lot_id)


@bp.post("/manage/lots/<int:lot_id>/names")
@access(manager)
def manage_names(lot_id: int) -> ResponseReturnValue:
    """The same page with the bidders' names; the look is recorded (网拍规定 art. 18 keeps identities secret)."""
    queries.state_of(lot_id)
    record("lot.names_viewed", "lot", lot_id, current_actor())
    return manage_view(lot_id, names=True)


def manage_view(lot_id: int, *, names: bool = False, problems: Any = (), form: ReasonForm | None = None) -> str:
    lot = queries.public_lot(lot_id, limit=200)
    sale = sale_of(lot_id)
    registrations = queries.registrations_of(lot_id)
    ended = lot["state"] in ENDED
    sold = lot["state"] == "sold"
    award = queries.award_of(lot_id)
    codes = {r.id: r.code for r in registrations}
    claims = queries.claims_of(lot_id)
    view = showing.COMMON | {
        "lot": lot,
        "sale": sale,
        "profile": sale.profile,
        "now": lot["now"],
        "ended": ended,
        "course": list(reversed(lot["entries"])),
        "registrations": registrations,
        "registration_states": REGISTRATION_STATES,
        "deposit_states": DEPOSIT_STATES,
        "deposits": {r.id: money.deposit_of(lot_id, r.org_id) for r in registrations},
        "names": {r.id: parties.get_org(r.org_id).name for r in registrations} if names else None,
        "claims": claims,
        "claim_states": CLAIM_STATES,
        "basis_names": BASIS_NAMES,
        "claim_names": {c.org_id: parties.get_org(c.org_id).name for c in claims},
        "qualification": sale.facts.get("qualification") or "",
        "proofs": proofs_for_manager(lot_id),
        "barrable": set() if ended else {r.id for r in registrations if r.state in ("applied", "qualified")},
        "bars_asked": _bars_asked([r.id for r in registrations]),
        "evidence": {c.id: files_of(c) for c in claims},
        "refusals": [
            (r, codes.get(r.registration_id or 0), explain(r.code, r.params, sale.currency))
            for r in queries.refusals_of(lot_id)
        ],
        "money": money.money_of_lot(lot_id) if sold else None,
        "award": award,
        "awards": queries.awards_of(lot_id),
        "overdue": award is not None
        and award.state == "awaiting_balance"
        and award.balance_due_at is not None
        and award.balance_due_at <= lot["now"],
        "checklist": completion.checklist(lot_id) if sold else [],
        "may_promote": lot["after_sale"] == "defaulted" and bool(sale.profile.backup_promotion.value),
        "waiting": {
            kind: open_approval(kind, "lot", lot_id) for kind in ("lot.withdraw", "lot.default", "lot.complete")
        },
        "approvals_href": showing.optional_url("web.approvals"),
        "form": form or ReasonForm(formdata=None),
        "problems": problems,
    }
    return render_template("auctions/manage_lot.html", **view)


def _bars_asked(registration_ids: list[int]) -> set[int]:
    """Registrations whose bar waits for the second manager."""
    return set(
        db.session.scalars(
            select(Approval.subject_id).where(
                Approval.kind == "registration.bar",
                Approval.subject == "registration",
                Approval.subject_id.in_(registration_ids),
                Approval.state == "waiting",
            )
        )
    )


ACTS: dict[str, tuple[Callable[..., Any], Any]] = {
    "suspend": (service.suspend_lot, _l("竞价已暂停，理由已公开。原因消除后请尽快恢复（五日内）。")),
    "resume": (service.resume_lot, _l("竞价已恢复，剩余时间不少于暂停时。")),
    "withdraw": (service.request_withdrawal, _l("撤回申请已提交，须由另一名管理人员复核。")),
    "default": (service.request_default, _l("悔拍认定已提交，须由另一名管理人员复核。")),
    "promote": (service.promote_backup, _l("已通知候补买受人，等待答复。")),
    "complete": (service.request_completion, _l("办结申请已提交，须由另一名管理人员复核。")),
}
REASONED = ("suspend", "resume", "withdraw", "default")
SOURCED = ("suspend", "resume", "withdraw")


@bp.post("/manage/lots/<int:lot_id>/<any(suspend, resume, withdraw, default, promote, complete):act>")
@access(manager)
def manage_act(lot_id: int, act: str) -> ResponseReturnValue:
    """One act on a sale; those that end or move money wait for a second manager."""
    call, done = ACTS[act]
    form = ReasonForm()
    arguments: dict[str, Any] = {}
    if act in REASONED:
        if not form.validate_on_submit():
            return manage_view(lot_id, form=form), 422
        arguments["reason"] = form.reason.data
    if act in SOURCED and (form.source.data or "").strip():
        arguments["source"] = (form.source.data or "").strip()
    try:
        call(current_actor(), lot_id, **arguments)
    except (Invalid, Refused) as error:
        return manage_view(lot_id, problems=error.problems, form=form), error.status
    flash(str(done), "success")
    return redirect(url_for("auctions.manage_lot", lot_id=lot_id))


@bp.post("/manage/lots/<int:lot_id>/claims/<int:claim_id>")
@access(manager)
def manage_claim(lot_id: int, claim_id: int) -> ResponseReturnValue:
    """Confirm or refuse a priority claim."""
    form = DecideClaimForm()
    if claim_id not in {claim.id for claim in queries.claims_of(lot_id)}:
        raise NotFound("claim_unknown", _l("没有这项优先购买权申请"))
    if not form.validate_on_submit():
        problems = [
            {"message": text, "code": "rank_malformed", "source": None}
            for texts in form.errors.values()
            for text in texts
        ]
        return manage_view(lot_id, problems=problems), 422
    confirm = request.form.get("decision") == "confirm"
    try:
        service.decide_preemption(
            current_actor(), claim_id, confirm, form.rank.data if confirm else None, form.reason.data or ""
        )
    except (Invalid, Refused) as error:
        return manage_view(lot_id, problems=error.problems), error.status
    flash(_("已处理，申请人将收到邮件。"), "success")
    return redirect(url_for("auctions.manage_lot", lot_id=lot_id, _anchor="claims"))


@bp.get("/lots/<int:lot_id>/seller")
@access(member)
def seller_page(lot_id: int) -> ResponseReturnValue:
    """The seller's own sale: result, money, documents to hand over. Bidders by code, as for everyone."""
    actor = current_actor()
    sale = sale_of(lot_id)
    if actor.org_id != sale.seller_id and not actor.is_manager:
        raise NotFound("lot_unknown", _l("没有这个标的"))
    lot = queries.public_lot(lot_id, limit=20)
    sold = lot["state"] == "sold"
    view = showing.COMMON | {
        "lot": lot,
        "sale": sale,
        "now": lot["now"],
        "ended": lot["state"] in ENDED,
        "bidders": len(queries.registrations_of(lot_id)),
        "result": lot["result"],
        "award": queries.award_of(lot_id),
        "money": money.money_of_lot(lot_id) if sold else None,
        "checklist": completion.checklist(lot_id) if sold else [],
        "listing_href": showing.listing_url(sale),
        "failed": actor.org_id == sale.seller_id and failure_of(lot_id) is not None,
    }
    return render_template("auctions/seller.html", **view)
