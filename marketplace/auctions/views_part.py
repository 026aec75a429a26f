"""Taking part: registration, priority claims, one's own lots, and what the buyer does after the end."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.auctions import completion, queries, service, showing
from marketplace.auctions.evidence import files_of
from marketplace.auctions.forms import BASIS_NAMES, PriorityForm, QualificationForm, RegisterForm
from marketplace.auctions.models import Lot, LotState, Registration
from marketplace.auctions.sale import ENDED, sale_of
from marketplace.auctions.views import bp
from marketplace.core import files
from marketplace.core.access import access, current_actor, member, signed_in
from marketplace.core.actor import Actor
from marketplace.core.clock import now
from marketplace.core.errors import Invalid, NotFound, Problem, Refused
from marketplace.core.i18n import _, _l
from marketplace.money import queries as money

REGISTRATION_STATES = {
    "applied": (_l("待交保证金"), "warn"),
    "qualified": (_l("可以出价"), "good"),
    "refused": (_l("未通过"), "bad"),
    "withdrawn": (_l("已撤回"), "neutral"),
    "barred": (_l("限制参加"), "bad"),
}
DEPOSIT_STATES = {
    "due": (_l("待到账"), "warn"),
    "held": (_l("已到账"), "good"),
    "waived": (_l("免交"), "good"),
    "release_due": (_l("待退回"), "info"),
    "ordered": (_l("退回办理中"), "info"),
    "released": (_l("已退回"), "neutral"),
    "applied": (_l("已抵作价款"), "good"),
    "forfeited": (_l("不予退还"), "bad"),
    "cancelled": (_l("已取消"), "neutral"),
}
CLAIM_STATES = {
    "filed": (_l("审核中"), "info"),
    "confirmed": (_l("已确认"), "good"),
    "refused": (_l("未确认"), "bad"),
}


def after_view(lot_id: int, view: dict[str, Any], actor: Actor) -> dict[str, Any]:
    """What the lot page adds after the end for those who took part: deposit, award, balance, documents."""
    own: Registration | None = view["own"]
    found: dict[str, Any] = {"deposit": None, "award": None, "balance": None, "deposit_states": DEPOSIT_STATES}
    found["account"] = current_app.settings  # type: ignore[attr-defined]
    if own is None or not view["ended"]:
        return found
    found["deposit"] = money.deposit_of(lot_id, own.org_id)
    award = queries.award_of(lot_id)
    if award is not None and award.org_id == own.org_id:
        found["award"] = award
        found["balance"] = money.balance_of(lot_id, own.org_id)
        found["checklist"] = completion.checklist(lot_id)
    return found


def register_view(
    lot_id: int, form: RegisterForm | None = None, claim_form: PriorityForm | None = None, **more: Any
) -> str:
    """The page of one's registration: conditions, proof, terms, deposit, priority."""
    actor = current_actor()
    lot = queries.public_lot(lot_id, limit=1)
    sale = sale_of(lot_id)
    eligibility = queries.eligibility(lot_id, actor)
    own = eligibility.registration
    deposit = money.deposit_of(lot_id, own.org_id) if own is not None else None
    claim = next((c for c in queries.claims_of(lot_id) if c.org_id == actor.org_id), None)
    proof = queries.qualification_of(lot_id, actor.org_id) if actor.org_id is not None else None
    started = lot["bids"] > 0 or lot["state"] in ENDED or lot["now"] >= lot["opens_at"]
    view = showing.COMMON | {
        "lot": lot,
        "sale": sale,
        "profile": sale.profile,
        "now": lot["now"],
        "ended": lot["state"] in ENDED,
        "eligibility": eligibility,
        "check_links": showing.check_links(lot_id)
        | {
            "registered": None,
            "terms": None,
            "deposit": "#pay" if own is not None else None,
            "priority": None,
            "qualification": None,
        },
        "own": own,
        "deposit": deposit,
        "receivable": money.receivable_of(deposit) if deposit is not None else None,
        "deposit_states": DEPOSIT_STATES,
        "registration_states": REGISTRATION_STATES,
        "evidence": files_of(claim) if claim is not None else [],
        "claim": claim,
        "claim_states": CLAIM_STATES,
        "basis_names": BASIS_NAMES,
        "claim_open": not started
        and bool(sale.profile.priority_right.value)
        and (claim is None or claim.state == "filed"),
        "qualification": sale.facts.get("qualification") or "",
        "proof": proof,
        "proof_files": files_of(proof) if proof is not None else [],
        "proof_states": CLAIM_STATES,
        "proof_open": (proof is None or proof.state != "confirmed") and lot["state"] not in ENDED,
        "qualification_form": QualificationForm(formdata=None, data={"statement": proof.statement if proof else ""}),
        "form": form or RegisterForm(formdata=None),
        "claim_form": claim_form or PriorityForm(formdata=None),
        "terms_sha256": showing.terms_hash(sale),
        "ticked": request.form.getlist("accept"),
        "account": current_app.settings,  # type: ignore[attr-defined]
        "listing_href": showing.listing_url(sale),
        "missing": [],
        "not_ticked": [],
        "problems": [],
    }
    return render_template("auctions/register.html", **(view | more))


@bp.get("/lots/<int:lot_id>/register")
@access(signed_in)
def register(lot_id: int) -> ResponseReturnValue:
    """Conditions first, then notice and warnings, then what to pay."""
    return register_view(lot_id, RegisterForm(formdata=None), PriorityForm(formdata=None))


@bp.post("/lots/<int:lot_id>/register")
@access(member)
def register_post(lot_id: int) -> ResponseReturnValue:
    """Every warning ticked, then registered; otherwise the form again with the ticks kept."""
    form = RegisterForm()
    sale = sale_of(lot_id)
    ticked = set(request.form.getlist("accept"))
    missing = [item.code for item in sale.profile.warnings if item.code not in ticked]
    if not form.validate_on_submit() or missing:
        not_ticked = [
            Problem(
                "warning_not_accepted",
                _("特别提示第 %(n)s 条：请阅读并勾选", n=number),
                "accept",
                {"anchor": f"accept-{item.code}"},
            )
            for number, item in enumerate(sale.profile.warnings, 1)
            if item.code in missing
        ]
        given = {"missing": missing, "not_ticked": not_ticked}
        return register_view(lot_id, form, PriorityForm(formdata=None), **given), 422
    try:
        service.register(current_actor(), lot_id, request.form.get("terms_sha256", ""), form.agent_name.data)
    except (Invalid, Refused) as error:
        return register_view(lot_id, form, PriorityForm(formdata=None), problems=error.problems), error.status
    flash(_("报名成功。请按下面的账户和附言交纳保证金，到账确认后即可出价。"), "success")
    return redirect(url_for("auctions.register", lot_id=lot_id, _anchor="pay"))


@bp.post("/lots/<int:lot_id>/priority")
@access(member)
def priority(lot_id: int) -> ResponseReturnValue:
    """File a priority purchaser's claim."""
    form = PriorityForm()
    if not form.validate_on_submit():
        return register_view(lot_id, RegisterForm(formdata=None), form), 422
    actor = current_actor()
    try:
        claim = service.file_preemption(actor, lot_id, form.basis.data, form.evidence.data or "")
        given = request.files.get("file")
        if given is not None and given.filename:
            files.keep_upload(
                given, kind="preemption_evidence", subject="preemption_claim", subject_id=claim.id, actor=actor
            )
    except (Invalid, Refused) as error:
        return register_view(lot_id, RegisterForm(formdata=None), form, problems=error.problems), error.status
    flash(_("优先购买权申请已提交，平台将在竞价开始前审核并以邮件通知结果。"), "success")
    return redirect(url_for("auctions.register", lot_id=lot_id, _anchor="priority"))


@bp.post("/lots/<int:lot_id>/documents")
@access(member)
def add_document(lot_id: int) -> ResponseReturnValue:
    """A document for the completion, from the seller, the buyer or a manager."""
    actor = current_actor()
    sale = sale_of(lot_id)
    award = queries.award_of(lot_id)
    if not (actor.is_manager or actor.org_id in (sale.seller_id, award.org_id if award else None)):
        raise NotFound("lot_unknown", _l("没有这个标的"))
    actor.require("maker")
    kind = request.form.get("kind", "")
    if kind not in {item.code for item in completion.checklist(lot_id) if not item.ours}:
        raise Invalid([Problem("document_kind_unknown", _l("请选择文件种类"), "kind")])
    files.keep_upload(request.files.get("file"), kind=kind, subject="lot", subject_id=lot_id, actor=actor)
    flash(_("文件已收到。"), "success")
    if actor.is_manager:
        return redirect(url_for("auctions.manage_lot", lot_id=lot_id, _anchor="after"))
    if actor.org_id == sale.seller_id:
        return redirect(url_for("auctions.seller_page", lot_id=lot_id))
    return redirect(url_for("auctions.lot_page", lot_id=lot_id, _anchor="winner"))


@bp.post("/lots/<int:lot_id>/offer")
@access(member)
def answer_offer(lot_id: int) -> ResponseReturnValue:
    """The backup takes or declines the lot."""
    if request.form.get("answer") == "accept":
        service.confirm_result(current_actor(), lot_id)
        flash(_("您已确认买受，请在期限内付清余款。"), "success")
    else:
        service.decline_award(current_actor(), lot_id, request.form.get("reason", "")[:400])
        flash(_("您已放弃递补，保证金将按期退回。"), "success")
    return redirect(url_for("auctions.lot_page", lot_id=lot_id))


@bp.get("/my/registrations")
@access(member)
def my_registrations() -> ResponseReturnValue:
    """All lots the organisation takes part in, with what it has at stake and what comes next."""
    actor = current_actor()
    at = now()
    rows = [_row(r, lot, state, at) for r, lot, state in queries.registrations_by(actor.org_id or 0)]
    exposure: dict[str, int] = {}
    for row in rows:
        if row["at_stake"]:
            exposure[row["lot"].currency] = exposure.get(row["lot"].currency, 0) + row["at_stake"]
    view = showing.COMMON | {
        "rows": rows,
        "exposure": exposure,
        "now": at,
        "deposit_states": DEPOSIT_STATES,
        "registration_states": REGISTRATION_STATES,
        "lots_href": showing.optional_url("listings.public_list"),
    }
    return render_template("auctions/mine.html", **view)


def _row(registration: Registration, lot: Lot, state: LotState, at: Any) -> dict[str, Any]:
    """One line: how it stands, what is at stake (minor units), the next moment and what it is."""
    deposit = money.deposit_of(lot.id, registration.org_id)
    award = queries.award_of(lot.id) if state.state == "sold" else None
    mine = award if award is not None and award.org_id == registration.org_id else None
    leading = state.state in ("running", "suspended") and state.leader_registration_id == registration.id
    balance = money.balance_of(lot.id, registration.org_id) if mine is not None else None
    owed = balance.amount_minor - balance.received_minor if balance is not None and balance.state == "open" else 0
    nothing: tuple[str, Any] = ("", None)
    if mine is not None and mine.state == "offered":
        following = (_("最迟确认是否买受"), mine.answer_due_at)
    elif mine is not None and mine.state == "awaiting_balance":
        following = (_("最迟付清余款"), mine.balance_due_at)
    elif state.state == "scheduled" and at < state.opens_at:
        following = (_("竞价开始"), state.opens_at)
    elif state.state in ("scheduled", "running"):
        following = (_("竞价结束"), state.ends_at)
    elif deposit is not None and deposit.state in ("release_due", "ordered"):
        following = (_("最迟退回保证金"), deposit.release_due_at)
    else:
        following = nothing
    return {
        "registration": registration,
        "lot": lot,
        "state": state,
        "deposit": deposit,
        "award": mine,
        "leading": leading,
        "outbid": state.state == "running" and not leading and state.price_minor is not None,
        "at_stake": (state.price_minor or 0) if leading else owed,
        "next": following,
    }
