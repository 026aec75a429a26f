"""The poster's pages: its needs, the offers that match with their reasons, the responses."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields.choices import SelectChoice

from marketplace.core.access import access, current_actor
from marketplace.core.clock import now, today
from marketplace.core.db import db
from marketplace.core.errors import DomainError
from marketplace.core.i18n import _
from marketplace.interest import places, queries, service
from marketplace.interest.forms import NeedForm
from marketplace.interest.models import Need
from marketplace.interest.views import bp, poster
from marketplace.listings.views import show_problems
from marketplace.parties import service as parties


@bp.get("/needs/mine")
@access(poster)
def my_needs() -> ResponseReturnValue:
    actor = current_actor()
    return render_template("interest/mine.html", rows=queries.own_needs(actor.org_id or 0), verified=actor.org_verified)


def _form(filled: bool = True) -> NeedForm:
    form = NeedForm() if filled else NeedForm(formdata=None)
    org = parties.get_org(current_actor().org_id or 0)
    form.region_code.choices = [SelectChoice("", _("不限")), *(SelectChoice(*c) for c in places.near(org.region_code))]
    return form


@bp.get("/needs/new")
@access(poster)
def new_need() -> ResponseReturnValue:
    """An empty need, or one like an earlier one."""
    form = _form(filled=False)
    earlier = request.args.get("like", 0, type=int)
    if earlier:
        form.show(queries.own_need(current_actor(), earlier))
    form.valid_until.data = today() + timedelta(days=180)
    return _edit_page(form, None)


@bp.post("/needs/new")
@access(poster)
def create_need() -> ResponseReturnValue:
    return _save(None)


@bp.get("/needs/mine/<int:need_id>/edit")
@access(poster)
def edit_need_page(need_id: int) -> ResponseReturnValue:
    need = queries.own_need(current_actor(), need_id)
    form = _form(filled=False)
    form.show(need)
    return _edit_page(form, need)


@bp.post("/needs/mine/<int:need_id>/edit")
@access(poster)
def edit_need(need_id: int) -> ResponseReturnValue:
    return _save(queries.own_need(current_actor(), need_id))


def _edit_page(form: NeedForm, need: Need | None, status: int = 200) -> ResponseReturnValue:
    return render_template("interest/edit.html", form=form, need=need), status


def _save(need: Need | None) -> ResponseReturnValue:
    form = _form()
    valid = form.validate()
    try:
        with db.session.begin_nested():
            if not valid:
                return _edit_page(form, need, 422)
            kept = service.save(current_actor(), form.values(), need.id if need else None)
    except DomainError as refused:
        if refused.status not in (409, 422):
            raise
        show_problems(form, refused)
        return _edit_page(form, need, 422)
    flash(_("草稿已保存。核对无误后提交平台审核。"), "success")
    return redirect(url_for("interest.my_need", need_id=kept.id))


@bp.get("/needs/mine/<int:need_id>")
@access(poster)
def my_need(need_id: int) -> ResponseReturnValue:
    """One need: its state and next step, the offers that match, the responses."""
    need = queries.own_need(current_actor(), need_id)
    shown = need.state in queries.PUBLIC_STATES
    return render_template(
        "interest/my_need.html",
        need=need,
        matches=queries.matches_of(need) if need.state == "published" else [],
        answers=queries.answers_to(need) if shown else [],
        code_names=places.names([need]),
        may=current_actor().may("maker"),
        now=now(),
    )


def _back(need_id: int, text: str) -> ResponseReturnValue:
    flash(text, "success")
    return redirect(url_for("interest.my_need", need_id=need_id))


@bp.post("/needs/mine/<int:need_id>/submit")
@access(poster)
def submit_need(need_id: int) -> ResponseReturnValue:
    service.submit(current_actor(), need_id)
    return _back(need_id, _("已提交平台审核，结果会邮件通知。"))


@bp.post("/needs/mine/<int:need_id>/close")
@access(poster)
def close_need(need_id: int) -> ResponseReturnValue:
    need = service.close(current_actor(), need_id, matched=request.form.get("matched") == "1")
    if need is None:
        flash(_("草稿已删除。"), "success")
        return redirect(url_for("interest.my_needs"))
    return _back(need_id, _("已撤回为草稿。") if need.state == "draft" else _("已结束征集。"))


@bp.post("/needs/responses/<int:response_id>")
@access(poster)
def decide_response(response_id: int) -> ResponseReturnValue:
    """Accept or decline; accepting shows both sides to each other."""
    accept = request.form.get("answer") == "accept"
    row = service.decide(current_actor(), response_id, accept=accept, reason=request.form.get("reason", ""))
    return _back(row.need_id, _("已接受，双方的名称和联系方式已互相显示。") if accept else _("已告知对方未接受。"))
