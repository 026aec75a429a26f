"""Who may take part: the manager's look at proofs of qualification, and bars in mid-sale with a second manager."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.auctions import queries, service, showing
from marketplace.auctions.evidence import files_of
from marketplace.auctions.forms import QualificationForm, ReasonForm
from marketplace.auctions.models import Qualification
from marketplace.auctions.sale import ENDED, sale_of
from marketplace.auctions.service_registration import BARRED_BY, bar_effect
from marketplace.auctions.views import bp
from marketplace.auctions.views_part import register_view
from marketplace.auctions.wording import explain
from marketplace.core import approvals
from marketplace.core.access import access, current_actor, manager, member
from marketplace.core.db import db
from marketplace.core.errors import Invalid, NotFound, Refused
from marketplace.core.i18n import _, _l
from marketplace.parties import service as parties

QUALIFICATION_STATES = {
    "filed": (_l("审核中"), "info"),
    "confirmed": (_l("已确认"), "good"),
    "refused": (_l("未确认"), "bad"),
}


def proofs_for_manager(lot_id: int) -> list[dict[str, Any]]:
    """Each organisation's proof with its name and files; the name is needed to judge it."""
    return [
        {
            "row": row,
            "name": parties.get_org(row.org_id).name,
            "files": files_of(row),
            "state": QUALIFICATION_STATES[row.state],
        }
        for row in queries.qualifications_of(lot_id)
    ]


@bp.post("/lots/<int:lot_id>/qualification")
@access(member)
def file_qualification(lot_id: int) -> ResponseReturnValue:
    """The bidder's statement and proof, before the deposit is asked."""
    form = QualificationForm()
    try:
        with db.session.begin_nested():
            service.file_qualification(
                current_actor(), lot_id, form.statement.data or "", request.files.get("file") or None
            )
    except Invalid as refused:
        showing.show_problems(form, refused)
        return register_view(lot_id, qualification_form=form), 422
    except Refused as refused:
        return register_view(lot_id, qualification_form=form, problems=refused.problems), refused.status
    flash(_("证明已提交。平台审核后以邮件通知结果，确认后即可报名交纳保证金。"), "success")
    return redirect(url_for("auctions.register", lot_id=lot_id, _anchor="qualification"))


@bp.post("/manage/lots/<int:lot_id>/qualifications/<int:qualification_id>")
@access(manager)
def decide_qualification(lot_id: int, qualification_id: int) -> ResponseReturnValue:
    """Confirm or refuse a proof; both with a reason."""
    from marketplace.auctions.views_manage import manage_view

    row = db.session.get(Qualification, qualification_id)
    if row is None or row.lot_id != lot_id:
        raise NotFound("qualification_unknown", _l("没有这项受让资格申请"))
    confirm = request.form.get("decision") == "confirm"
    try:
        service.decide_qualification(current_actor(), qualification_id, confirm, request.form.get("reason", "")[:400])
    except (Invalid, Refused) as error:
        return manage_view(lot_id, problems=error.problems), error.status
    flash(_("已处理，申请人将收到邮件。"), "success")
    return redirect(url_for("auctions.manage_lot", lot_id=lot_id, _anchor="qualifications"))


def _bar_view(registration_id: int, form: ReasonForm, problems: Any = ()) -> str:
    actor = current_actor()
    effect = bar_effect(registration_id)
    lot = queries.public_lot(effect.registration.lot_id, limit=1)
    waiting = approvals.open_approval("registration.bar", "registration", registration_id)
    view = showing.COMMON | {
        "lot": lot,
        "now": lot["now"],
        "ended": lot["state"] in ENDED,
        "effect": effect,
        "row": effect.registration,
        "obstacle": explain(effect.obstacle, {}) if effect.obstacle else "",
        "waiting": waiting,
        "may_decide": waiting is not None and actor.may("approver") and waiting.requested_by != actor.user_id,
        "refund_hours": sale_of(effect.registration.lot_id).profile.refund_hours.value,
        "default_source": BARRED_BY,
        "form": form,
        "problems": problems,
    }
    return render_template("auctions/bar.html", **view)


@bp.get("/manage/registrations/<int:registration_id>/bar")
@access(manager)
def bar_page(registration_id: int) -> ResponseReturnValue:
    """What barring this bidder would do, before anyone asks for it or confirms it."""
    return _bar_view(registration_id, ReasonForm(formdata=None))


@bp.post("/manage/registrations/<int:registration_id>/bar")
@access(manager)
def request_bar(registration_id: int) -> ResponseReturnValue:
    """One manager asks; another one confirms."""
    form = ReasonForm()
    if not form.validate_on_submit():
        return _bar_view(registration_id, form), 422
    try:
        service.request_bar(current_actor(), registration_id, form.reason.data or "", form.source.data or "")
    except Refused as error:
        return _bar_view(registration_id, form, error.problems), error.status
    flash(_("限制申请已提交，须由另一名管理人员复核。"), "success")
    return redirect(url_for("auctions.bar_page", registration_id=registration_id))


@bp.post("/manage/registrations/<int:registration_id>/bar/decision")
@access(manager)
def decide_bar(registration_id: int) -> ResponseReturnValue:
    """The second manager, who has just read what it does."""
    waiting = approvals.open_approval("registration.bar", "registration", registration_id)
    if waiting is None:
        raise Refused("approval_decided", _l("这项申请已经处理"))
    agreed = request.form.get("decision") == "approve"
    try:
        with db.session.begin_nested():
            approvals.decide(
                waiting.id, current_actor(), approve=agreed, reason=request.form.get("decision_reason", "")[:400]
            )
    except Refused as error:
        return _bar_view(registration_id, ReasonForm(formdata=None), error.problems), error.status
    flash(_("已限制该竞买人参加，理由已公开。") if agreed else _("限制申请未获同意。"), "success")
    return redirect(url_for("auctions.bar_page", registration_id=registration_id))
