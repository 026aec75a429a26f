"""The managers' pages of needs: review, publication, return, taking down."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.access import access, current_actor, manager
from marketplace.core.i18n import _
from marketplace.interest import places, queries, service
from marketplace.interest.models import NEED_STATES
from marketplace.interest.views import bp

STATES = tuple(state for state in NEED_STATES if state != "draft")


@bp.get("/manage/needs")
@access(manager)
def manage_needs() -> ResponseReturnValue:
    state = request.args.get("state", "")
    state = state if state in STATES else ""
    page = min(max(request.args.get("page", 1, type=int), 1), 10_000)
    rows, counts, pages = queries.to_review(state, page)
    return render_template(
        "interest/manage.html", rows=rows, counts=counts, state=state, states=STATES, page=min(page, pages), pages=pages
    )


@bp.get("/manage/needs/<int:need_id>")
@access(manager)
def manage_need(need_id: int) -> ResponseReturnValue:
    need, name = queries.managed_need(need_id)
    return render_template("interest/manage_need.html", need=need, poster=name, code_names=places.names([need]))


def _back(need_id: int, text: str) -> ResponseReturnValue:
    flash(text, "success")
    return redirect(url_for("interest.manage_needs"))


@bp.post("/manage/needs/<int:need_id>/publish")
@access(manager)
def publish_need(need_id: int) -> ResponseReturnValue:
    service.publish(current_actor(), need_id)
    return _back(need_id, _("需求已发布。"))


@bp.post("/manage/needs/<int:need_id>/return")
@access(manager)
def return_need(need_id: int) -> ResponseReturnValue:
    service.send_back(current_actor(), need_id, request.form.get("reason", ""))
    return _back(need_id, _("已退回需求方修改。"))


@bp.post("/manage/needs/<int:need_id>/take-down")
@access(manager)
def take_down_need(need_id: int) -> ResponseReturnValue:
    service.take_down(current_actor(), need_id, request.form.get("reason", ""))
    return _back(need_id, _("需求已结束，理由已公开。"))
