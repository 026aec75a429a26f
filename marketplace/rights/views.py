"""Pages of the rights room; its whole URL map stands here and in ``views_acts``.

A bank sees its own rights, the platform's managers everyone's; only a bank's makers change them.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import files
from marketplace.core.access import Policy, access, current_actor, org
from marketplace.core.actor import BANK
from marketplace.core.clock import today
from marketplace.core.db import db
from marketplace.core.errors import DomainError
from marketplace.core.i18n import _, _l
from marketplace.rights import burdens, queries, service
from marketplace.rights.facts import annuity_state_of, burden_of, paid_years, renewal_of, schedule_of, term_of
from marketplace.rights.forms import DocumentForm, RightForm, kind_choices, put_problems
from marketplace.rights.rules.annuities import amount_due
from marketplace.rights.rules.health import Verdict
from marketplace.rights.rules.kinds import KINDS, Kind
from marketplace.rights.rules.numbers import WARNINGS, NumberRefused, parse_number
from marketplace.rights.words import say

bp = Blueprint("rights", __name__)
READERS = Policy("org:bank or manager", lambda actor: actor.org_kind == BANK or actor.is_manager)
MAKERS = org(BANK, role="maker")
TONES = {Verdict.OK: "good", Verdict.WARN: "warn", Verdict.BLOCKED: "bad"}
EXPIRING = {"": _l("不限"), "90": _l("90 天内"), "365": _l("一年内"), "1095": _l("三年内")}


@bp.context_processor
def words() -> dict[str, Any]:
    return {
        "say": say,
        "kind_name": lambda code: say(KINDS[Kind(code)].zh),
        "verdicts": queries.VERDICTS,
        "tones": TONES,
        "burden_names": burdens.NAMES,
        "document_names": service.DOCUMENT_KINDS,
        "number_warnings": WARNINGS,
    }


def _chosen(name: str, allowed: Any) -> str | None:
    value = request.args.get(name, "")
    return value if value and value in allowed else None


@bp.get("/rights")
@access(READERS)
def right_list() -> ResponseReturnValue:
    """The organisation's rights with their health; filters in the address."""
    actor = current_actor()
    filters = queries.Filters(
        kind=_chosen("kind", [kind.value for kind in Kind]),
        health=_chosen("health", [verdict.value for verdict in Verdict]),
        expiring=int(_chosen("expiring", EXPIRING) or 0) or None,
        text=request.args.get("text", "")[:200],
    )
    asked = request.args.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 1
    page = queries.search_rights(None if actor.is_manager else actor.org_id, filters, number)
    kept = {name: value for name, value in request.args.items() if name not in ("page", "lang") and value}
    return render_template(
        "rights/list.html",
        page=page,
        filters=filters,
        filtered=bool(filters.kind or filters.health or filters.expiring or filters.text.strip()),
        kinds=kind_choices(_("不限")),
        expiring=EXPIRING,
        link=lambda n: url_for("rights.right_list", **{**kept, "page": n}),
        can_edit=MAKERS.allows(actor),
    )


@bp.get("/rights/new")
@access(MAKERS)
def right_new() -> ResponseReturnValue:
    return render_template("rights/edit.html", form=RightForm(formdata=None), right=None)


@bp.post("/rights/new")
@access(MAKERS)
def right_create() -> ResponseReturnValue:
    form = RightForm()
    try:
        with db.session.begin_nested():
            right = service.create_right(current_actor(), form.given())
    except DomainError as error:
        put_problems(form, error)
        return render_template("rights/edit.html", form=form, right=None, taken=_existing(error)), 422
    flash(_("已登记。号码按 %(number)s 保存", number=right.number_display), "success")
    return redirect(url_for("rights.right_page", right_id=right.id))


def _existing(error: DomainError) -> int | None:
    """The right that already has the number."""
    return next((p.params.get("right_id") for p in error.problems if p.code == "number_taken"), None)


@bp.get("/rights/<int:right_id>/edit")
@access(MAKERS)
def right_edit(right_id: int) -> ResponseReturnValue:
    right = queries.right_for(current_actor(), right_id)
    shown = service.present(right)
    for name in ("ipc", "nice"):
        shown[name] = "；".join(shown[name])
    shown["co_owners"] = "\n".join(shown["co_owners"])
    for name in ("fees_paid_through", "fee_reduction"):
        shown[name] = "" if shown[name] is None else str(shown[name])
    form = RightForm(formdata=None, data=shown | {"seen": service.version_of(right)})
    return render_template("rights/edit.html", form=form, right=right)


@bp.post("/rights/<int:right_id>/edit")
@access(MAKERS)
def right_update(right_id: int) -> ResponseReturnValue:
    form = RightForm()
    right = queries.right_for(current_actor(), right_id)
    try:
        with db.session.begin_nested():
            service.update_right(current_actor(), right_id, form.given(), form.seen.data or "")
    except DomainError as error:
        if error.status in (403, 404):
            raise
        put_problems(form, error)
        db.session.refresh(right)
        stale = queries.changes_of(right_id, 1) if error.code == "stale_form" else []
        form.seen.data = service.version_of(right)
        html = render_template(
            "rights/edit.html", form=form, right=right, taken=_existing(error), stale=stale[0] if stale else None
        )
        return html, 409 if error.code == "stale_form" else 422
    flash(_("已保存"), "success")
    return redirect(url_for("rights.right_page", right_id=right_id))


@bp.get("/rights/check-number")
@access(READERS)
def check_number() -> ResponseReturnValue:
    """How a number will be kept: ``{ok, display, warnings, message}``. Nothing is stored."""
    kind, text = request.args.get("kind", ""), request.args.get("number", "")
    answer: dict[str, Any]
    if kind not in list(Kind):
        answer = {"ok": False, "message": _("请先选择权利类型"), "warnings": []}
    else:
        try:
            number = parse_number(kind, text, today=today())
            warnings = [str(say(WARNINGS[code])) for code in number.warnings]
            answer = {
                "ok": True,
                "display": number.display,
                "message": _("按 %(number)s 保存", number=number.display),
                "warnings": warnings,
            }
        except NumberRefused as refused:
            message = str(say(refused.template, refused.params))
            answer = {"ok": False, "code": refused.code, "message": message, "warnings": []}
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return jsonify(answer)
    return render_template(
        "rights/check_number.html", answer=answer, kind=kind, number=text, kinds=kind_choices(_("请选择"))
    )


@bp.get("/rights/<int:right_id>")
@access(READERS)
def right_page(right_id: int) -> ResponseReturnValue:
    return _right_page(right_id, DocumentForm(formdata=None))


def _right_page(right_id: int, form: DocumentForm, status: int = 200) -> ResponseReturnValue:
    actor = current_actor()
    right = queries.right_for(actor, right_id)
    day = today()
    term, state = term_of(right), annuity_state_of(right, day)
    paid = paid_years(right)
    fees = [
        {
            "fee": fee,
            "paid": fee.with_grant or (paid is not None and fee.year in paid),
            "owed": amount_due(fee, day),
            "payment": next((p for p in right.annuity_payments if p.year == fee.year), None),
        }
        for fee in schedule_of(right)
    ]
    elapsed = whole = None
    if term and term.start and term.end:
        whole = (term.end - term.start).days + 1
        elapsed = min(max((day - term.start).days, 0), whole)
    html = render_template(
        "rights/right.html",
        right=right,
        day=day,
        term=term,
        renewal=renewal_of(right),
        left=term.remaining(day) if term else None,
        whole=whole,
        elapsed=elapsed,
        state=state,
        fees=fees,
        health=service.health_of(right, day),
        burdens=[(row, burden_of(row).active_on(day)) for row in right.encumbrances],
        documents=files.list_for("right", right.id, actor),
        changes=queries.changes_of(right.id),
        labels=LABELS,
        form=form,
        can_edit=MAKERS.allows(actor) and actor.org_id == right.org_id,
        ways=WAYS,
    )
    return html, status


#: Names of what a change may concern, beside the fields of the form.
LABELS: dict[str, Any] = {
    **{name: item.args[0] for name, item in vars(RightForm).items() if hasattr(item, "field_class") and item.args},
    "term_end": _l("保护期至"),
    "number_display": _l("号码"),
    "terminated_on": _l("终止日"),
    "invalidation_pending": _l("正在无效宣告程序中"),
    "ownership_suspended": _l("因权属纠纷中止程序"),
    "co_owners_consent": _l("共有人同意"),
    "annuity_paid": _l("年费已缴"),
    "paid_on": _l("缴费日"),
    "encumbrance_added": _l("新增负担"),
    "encumbrance_released": _l("解除负担"),
    "consent": _l("质权人同意"),
}
#: What to do about a reason of health.
WAYS: dict[str, Any] = {
    "fee_in_grace": _l("在滞纳期届满前补缴年费和滞纳金，然后在下面登记。"),
    "fee_due_soon": _l("到期前缴纳年费，然后在下面登记。"),
    "fee_lapsed": _l("如果已经缴纳，请登记缴费；否则查看是否还能请求恢复权利。"),
    "fee_unknown": _l("点“修改”，填写年费已缴至第几年；缺少申请日的，也填上申请日。"),
    "pledgee_consent_missing": _l("请质权人出具书面同意，在“负担”里上传。"),
    "co_owner_consent_missing": _l("请共有人出具书面同意并上传。"),
    "preserved": _l("等保全解除或到期，或由保全法院处置。"),
    "term_unknown": _l("点“修改”，补充计算保护期所需的日期。"),
    "expired": _l("核对日期；商标已续展的，填写“续展至”。"),
    "number_unconfirmed": _l("与证书核对号码；正确的不必改动。"),
    "qualified_transferee_needed": _l("挂牌时限定竞买人资格。"),
    "ownership_suspended": _l("等中止程序结束，再更新登记簿状态。"),
    "terminated": _l("核对登记簿；已恢复的，更新登记簿状态。"),
    "invalidated": _l("核对登记簿；决定被撤销的，更新登记簿状态。"),
}

from marketplace.rights import views_acts  # noqa: E402,F401  its routes belong to this blueprint
