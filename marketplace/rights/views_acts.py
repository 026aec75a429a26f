"""What a bank's maker does with one right: register standing, annual fees, burdens, consents, documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from marketplace.core.access import access, current_actor
from marketplace.core.clock import today
from marketplace.core.db import db
from marketplace.core.errors import DomainError, Invalid, Problem
from marketplace.core.i18n import _, _l
from marketplace.core.money import MoneyRefused, parse_minor
from marketplace.rights import burdens, queries, service
from marketplace.rights.facts import extra_date, schedule_of
from marketplace.rights.forms import (
    BurdenForm,
    ConsentForm,
    DayField,
    DocumentForm,
    PaymentForm,
    ReleaseForm,
    StandingForm,
    put_problems,
)
from marketplace.rights.models import Right
from marketplace.rights.rules.annuities import PaymentState, amount_due
from marketplace.rights.views import MAKERS, _right_page, bp

MONEY_FAULTS = {
    "money_format": _l("请填写金额，例如 1,200.00"),
    "money_decimals": _l("金额最多两位小数"),
    "money_too_large": _l("金额过大"),
    "money_negative": _l("金额不能为负"),
}


def _act(
    right: Right, form: FlaskForm, title: Any, lead: Any, act: Callable[[], object], done: Any
) -> ResponseReturnValue:
    """Show the form, or do ``act``: on success back to the right's page, on a refusal the form as it was typed."""
    status = 200
    if request.method == "POST":
        try:
            with db.session.begin_nested():
                act()
            flash(str(done), "success")
            return redirect(url_for("rights.right_page", right_id=right.id))
        except DomainError as error:
            if error.status in (403, 404):
                raise
            put_problems(form, error)
            status = error.status
            db.session.refresh(right)
    if "seen" in form:
        form.seen.data = service.version_of(right)
    return render_template("rights/act.html", right=right, form=form, title=title, lead=lead), status


def _days(form: FlaskForm) -> dict[str, Any]:
    """The form's data with its days read; refuses (Invalid) what is no day."""
    problems: list[Problem] = []
    found = {item.name: item.day(problems) if isinstance(item, DayField) else item.data for item in form}
    if problems:
        raise Invalid(problems)
    return found


@bp.route("/rights/<int:right_id>/standing", methods=["GET", "POST"])
@access(MAKERS)
def standing(right_id: int) -> ResponseReturnValue:
    """Termination, invalidation, suspension, as the register says."""
    actor = current_actor()
    right = queries.right_for(actor, right_id)
    shown = {
        "terminated_on": right.terminated_on,
        "invalidated_on": extra_date(right, "invalidated_on"),
        "invalidation_pending": right.invalidation_pending,
        "ownership_suspended": right.ownership_suspended,
        "ownership_suspended_until": extra_date(right, "ownership_suspended_until"),
    }
    form = StandingForm() if request.method == "POST" else StandingForm(formdata=None, data=shown)
    return _act(
        right,
        form,
        _("登记簿状态"),
        _("按登记簿填写。已终止、被宣告无效或中止的权利不能发布。"),
        lambda: service.set_standing(actor, right_id, _days(form), form.seen.data or ""),
        _("登记簿状态已更新"),
    )


@bp.route("/rights/<int:right_id>/annuities/<int:year>", methods=["GET", "POST"])
@access(MAKERS)
def pay(right_id: int, year: int) -> ResponseReturnValue:
    """Record that an annual fee was paid."""
    actor = current_actor()
    right = queries.right_for(actor, right_id)
    fee = next((row for row in schedule_of(right) if row.year == year), None)
    day = today()
    owed = amount_due(fee, day) if fee else None
    lead = _("登记已向国家知识产权局缴纳的年费，凭证可以以后再传。")
    if fee and owed and owed.state == PaymentState.GRACE:
        lead = _("已逾期：今天缴纳须年费加滞纳金，最晚 %(day)s。", day=fee.grace_end.isoformat())
    shown = {
        "paid_on": day,
        "amount": f"{owed.total_minor // 100}.{owed.total_minor % 100:02d}" if owed and owed.total_minor else "",
    }
    form = PaymentForm() if request.method == "POST" else PaymentForm(formdata=None, data=shown)

    def act() -> None:
        found, problems = _days(form), []
        try:
            minor = parse_minor(form.amount.data or "")
        except MoneyRefused as refused:
            problems.append(Problem(refused.code, MONEY_FAULTS[refused.code], "amount"))
        if found["paid_on"] is None:
            problems.append(Problem("required", _l("请填写缴费日"), "paid_on"))
        if problems:
            raise Invalid(problems)
        service.record_payment(
            actor,
            right_id,
            year=year,
            paid_on=found["paid_on"],
            amount_minor=minor,
            receipt=request.files.get("receipt"),
            seen=form.seen.data or "",
        )

    return _act(
        right, form, _("登记第 %(year)s 年年费", year=year), lead, act, _("第 %(year)s 年年费已登记", year=year)
    )


@bp.route("/rights/<int:right_id>/encumbrances/new", methods=["GET", "POST"])
@access(MAKERS)
def burden_new(right_id: int) -> ResponseReturnValue:
    actor = current_actor()
    right = queries.right_for(actor, right_id)
    form = BurdenForm()
    return _act(
        right,
        form,
        _("登记负担"),
        _("质押、法院保全和许可会随权利一起公布。没有质权人书面同意的质押、未解除的保全不能发布。"),
        lambda: burdens.add_encumbrance(actor, right_id, _days(form), form.seen.data or ""),
        _("负担已登记"),
    )


@bp.route("/rights/<int:right_id>/encumbrances/<int:burden_id>/release", methods=["GET", "POST"])
@access(MAKERS)
def burden_release(right_id: int, burden_id: int) -> ResponseReturnValue:
    actor = current_actor()
    right = queries.right_for(actor, right_id)
    row = burdens.burden_on(right, burden_id)
    form = ReleaseForm()
    return _act(
        right,
        form,
        _("解除%(kind)s：%(holder)s", kind=burdens.NAMES[row.kind], holder=row.holder),
        _("从解除日期起，这项负担不再生效；记录会保留。"),
        lambda: burdens.release_encumbrance(
            actor, right_id, burden_id, _days(form)["released_on"], form.seen.data or ""
        ),
        _("负担已解除"),
    )


@bp.route("/rights/<int:right_id>/encumbrances/<int:burden_id>/consent", methods=["GET", "POST"])
@access(MAKERS)
def burden_consent(right_id: int, burden_id: int) -> ResponseReturnValue:
    actor = current_actor()
    right = queries.right_for(actor, right_id)
    row = burdens.burden_on(right, burden_id)
    form = ConsentForm()
    return _act(
        right,
        form,
        _("质权人同意：%(holder)s", holder=row.holder),
        _("上传质权人同意处置的书面文件（民法典第 444 条）。"),
        lambda: burdens.record_consent(actor, right_id, burden_id, request.files.get("file"), form.seen.data or ""),
        _("质权人的同意已登记"),
    )


@bp.route("/rights/<int:right_id>/co-owners/consent", methods=["GET", "POST"])
@access(MAKERS)
def co_owner_consent(right_id: int) -> ResponseReturnValue:
    actor = current_actor()
    right = queries.right_for(actor, right_id)
    form = ConsentForm()
    return _act(
        right,
        form,
        _("共有人同意"),
        _("上传全体共有人同意处置的书面文件（专利法第 14 条）。"),
        lambda: burdens.record_co_owner_consent(actor, right_id, request.files.get("file"), form.seen.data or ""),
        _("共有人的同意已登记"),
    )


@bp.post("/rights/<int:right_id>/documents")
@access(MAKERS)
def document_add(right_id: int) -> ResponseReturnValue:
    form = DocumentForm()
    try:
        with db.session.begin_nested():
            service.add_document(current_actor(), right_id, request.files.get("file"), form.kind.data or "")
    except Invalid as error:
        put_problems(form, error)
        return _right_page(right_id, form, 422)
    flash(_("文件已保存"), "success")
    return redirect(url_for("rights.right_page", right_id=right_id) + "#documents")


@bp.post("/rights/<int:right_id>/documents/<int:document_id>/remove")
@access(MAKERS)
def document_remove(right_id: int, document_id: int) -> ResponseReturnValue:
    service.remove_document(current_actor(), right_id, document_id)
    flash(_("文件已移除"), "success")
    return redirect(url_for("rights.right_page", right_id=right_id) + "#documents")
