"""The managers' pages: review by one, publication by another, suspension, withdrawal, objections."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import approvals, files
from marketplace.core.access import access, current_actor, manager
from marketplace.core.clock import now
from marketplace.core.errors import Refused
from marketplace.core.i18n import _
from marketplace.listings import desk, facts, queries, rules, service, texts
from marketplace.listings.forms import DecisionForm, ReviewForm
from marketplace.listings.models import LISTING_STATES
from marketplace.listings.views import bp, timeline_steps


@bp.get("/manage/listings")
@access(manager)
def manage_list() -> ResponseReturnValue:
    """Every submitted offer: what waits for a manager first."""
    state = request.args.get("state", "")
    state = state if state in LISTING_STATES else ""
    page = request.args.get("page", 1, type=int)
    rows, counts, pages = desk.offers(current_actor(), state=state, page=min(max(page, 1), 10_000))
    return render_template("listings/manage.html", rows=rows, counts=counts, state=state, page=page, pages=pages)


@bp.get("/manage/listings/<int:listing_id>")
@access(manager)
def manage_page(listing_id: int) -> ResponseReturnValue:
    return _page(listing_id, ReviewForm(formdata=None), DecisionForm(formdata=None))


def _page(listing_id: int, review_form: ReviewForm, decision_form: DecisionForm) -> str:
    from marketplace.listings.views_rounds import round_view

    actor, at = current_actor(), now()
    listing = desk.listing_for(actor, listing_id)
    rounds = queries.rounds_of(listing.id)
    found = facts.findings(listing, at) if listing.published_at is None else []
    publication = approvals.open_approval("listing.publish", "listing", listing.id)
    withdrawal = approvals.open_approval("listing.withdraw", "listing", listing.id)
    noticed = rules.noticed(facts.offer_facts(listing, at))
    profile = facts.profile_of(listing)
    return render_template(
        "listings/manage_page.html",
        listing=listing,
        case=facts.case_of(listing),
        refusals=[texts.problem_of(f, listing.currency) for f in found if f.severity == "refuse"],
        advice=[texts.problem_of(f, listing.currency) for f in found if f.severity == "warn"],
        health=[(item, facts.health(item.right, listing.qualification)) for item in listing.items],
        reason_text=facts.reason_text,
        notice_items=[(item, item.code in noticed) for item in profile.notice_items],
        profile=profile,
        steps=timeline_steps(listing, at, rounds[-1] if rounds else None),
        documents=files.list_for("listing", listing.id, actor),
        questions=queries.questions_of(listing.id),
        objections=[(row, files.list_for("objection", row.id, actor)) for row in queries.objections_of(listing.id)],
        rounds=rounds,
        **round_view(listing),
        publication=publication,
        withdrawal=withdrawal,
        may_publish=publication is not None and actor.may("approver") and publication.requested_by != actor.user_id,
        may_withdraw=withdrawal is not None and actor.may("approver") and withdrawal.requested_by != actor.user_id,
        history=desk.history(listing.id, public_only=False),
        review_form=review_form,
        decision_form=decision_form,
        now=at,
    )


def _back(listing_id: int, text: str) -> ResponseReturnValue:
    flash(text, "success")
    return redirect(url_for("listings.manage_page", listing_id=listing_id))


def _reason() -> str:
    return request.form.get("reason", "")


@bp.post("/manage/listings/<int:listing_id>/review")
@access(manager)
def review(listing_id: int) -> ResponseReturnValue:
    form = ReviewForm()
    if not form.validate() or len(form.items.data or []) < len(texts.REVIEW_ITEMS):
        form.items.errors = [*form.items.errors, _("请逐项确认；有问题的，请退回银行")]
        return _page(listing_id, form, DecisionForm(formdata=None)), 422
    service.review(current_actor(), listing_id, form.items.data or [], form.note.data or "")
    return _back(listing_id, _("审核完成，等待另一名管理人员发布。"))


@bp.post("/manage/listings/<int:listing_id>/return")
@access(manager)
def send_back(listing_id: int) -> ResponseReturnValue:
    service.send_back(current_actor(), listing_id, _reason())
    return _back(listing_id, _("已退回银行修改。"))


@bp.post("/manage/listings/<int:listing_id>/publish")
@access(manager)
def publish(listing_id: int) -> ResponseReturnValue:
    listing = service.publish(current_actor(), listing_id)
    return _back(listing_id, _("公告 %(number)s 已发布。", number=listing.number))


@bp.post("/manage/listings/<int:listing_id>/suspend")
@access(manager)
def suspend(listing_id: int) -> ResponseReturnValue:
    service.suspend(current_actor(), listing_id, _reason())
    return _back(listing_id, _("已暂缓，理由已公开。原因消除后须在 5 天内恢复。"))


@bp.post("/manage/listings/<int:listing_id>/resume")
@access(manager)
def resume(listing_id: int) -> ResponseReturnValue:
    service.resume(current_actor(), listing_id, _reason())
    return _back(listing_id, _("已恢复。"))


@bp.post("/manage/listings/<int:listing_id>/withdraw")
@access(manager)
def withdraw(listing_id: int) -> ResponseReturnValue:
    service.withdraw(current_actor(), listing_id, _reason())
    return _back(listing_id, _("已申请撤回，等待另一名管理人员决定。"))


@bp.post("/manage/listings/<int:listing_id>/withdrawal")
@access(manager)
def decide_withdrawal(listing_id: int) -> ResponseReturnValue:
    waiting = approvals.open_approval("listing.withdraw", "listing", listing_id)
    if waiting is None:
        raise Refused("approval_decided", _("这项申请已经处理"))
    agreed = request.form.get("decision") == "approve"
    approvals.decide(waiting.id, current_actor(), approve=agreed, reason=_reason())
    return _back(listing_id, _("已撤回。") if agreed else _("撤回申请未获同意。"))


@bp.post("/manage/questions/<int:question_id>/hide")
@access(manager)
def hide_question(question_id: int) -> ResponseReturnValue:
    row = service.hide(current_actor(), question_id, _reason())
    return _back(row.listing_id, _("问题已隐藏，理由显示在原处。"))


@bp.post("/manage/objections/<int:objection_id>")
@access(manager)
def decide_objection(objection_id: int) -> ResponseReturnValue:
    form = DecisionForm()
    if not form.validate():
        raise Refused("reason_needed", _("请填写理由"))
    outcome: Any = form.outcome.data
    row = service.decide(
        current_actor(),
        objection_id,
        upheld=outcome != "rejected",
        decision=form.decision.data or "",
        measure=outcome if outcome != "rejected" else "suspend",
    )
    return _back(row.listing_id, _("决定已公开。"))
