"""The pages of a further round: the bank's form and second person, the managers' review and publication."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.auctions.rules.ladder import NextStep
from marketplace.core import approvals
from marketplace.core.access import access, current_actor, manager, org
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Invalid, NotFound, Refused
from marketplace.core.i18n import _
from marketplace.listings import desk, facts, service, texts
from marketplace.listings.account import account_line
from marketplace.listings.forms import RoundForm, RoundReviewForm
from marketplace.listings.models import Listing
from marketplace.listings.notice import english_summary, notice_text
from marketplace.listings.service_draft import open_round
from marketplace.listings.service_rounds import failed_lot, round_findings, round_problems
from marketplace.listings.views import bp, place_problems, show_problems

banker = org("bank")


def round_view(listing: Listing) -> dict[str, Any]:
    """What the desks of bank and manager show of a failed round and of the next one: for ``_rounds.html``."""
    actor, at = current_actor(), now()
    failed = failed_lot(listing) if listing.state == "closed" else None
    row = open_round(listing.id)
    found = round_findings(listing, row, at) if row is not None else []
    submission = approvals.open_approval("listing.round_submit", "listing", listing.id)
    publication = approvals.open_approval("listing.round_publish", "listing", listing.id)
    return {
        "failed": failed,
        "failure": None if failed is None else desk.failure_text(failed[0].id),
        "step_facts": step_facts(failed[1], listing) if failed else [],
        "next_round": row,
        "round_refusals": [texts.problem_of(f, listing.currency) for f in found if f.severity == "refuse"],
        "round_advice": [texts.problem_of(f, listing.currency) for f in found if f.severity == "warn"],
        "round_submission": submission,
        "round_publication": publication,
        "may_decide_round": _second(submission),
        "may_publish_round": _second(publication),
        "round_review_form": RoundReviewForm(formdata=None),
        "withdrawal_asked": approvals.open_approval("listing.withdraw", "listing", listing.id),
        "may_propose": actor.org_id == listing.org_id and actor.may("maker"),
    }


def _second(approval: Any) -> bool:
    actor = current_actor()
    return approval is not None and actor.may("approver") and approval.requested_by != actor.user_id


def step_facts(step: NextStep, listing: Listing) -> list[tuple[Any, Any, Any]]:
    """The bounds of the next round as (label, value, source): values raw, formatted by the page."""
    rung = step.rung
    if rung is None or not step.allowed:
        return []
    rows: list[tuple[Any, Any, Any]] = [(_("上一轮起拍价"), ("money", step.previous_start_minor), None)]
    if step.lowest_minor is not None:
        term = rung.max_reduction or rung.price_rule
        rows.append((_("起拍价不得低于"), ("money", step.lowest_minor), term.source))
    if step.notice is not None:
        unit = (
            _("%(n)s 个工作日", n=step.notice.value)
            if step.notice.unit == "workdays"
            else _("%(n)s 日", n=step.notice.value)
        )
        rows.append((_("公告期"), ("text", unit), step.notice.source))
    rows.append((_("现在发布的，最早开始"), ("time", step.earliest), None))
    within = rung.within_days_of_failure
    if step.latest is not None and within is not None:
        rows.append((_("最迟须在此前开始"), ("time", step.latest), within.source))
    if step.publish_by is not None:
        rows.append((_("因此最迟须在此前发布公告"), ("time", step.publish_by), None))
    if step.least is not None and rung.min_duration is not None:
        rows.append((_("竞价时间不少于"), ("span", step.least), rung.min_duration.source))
    return rows


def _own(listing_id: int) -> Listing:
    return desk.listing_for(current_actor(), listing_id)


@bp.get("/listings/mine/<int:listing_id>/round")
@access(banker)
def round_form(listing_id: int) -> ResponseReturnValue:
    """The form of the next round, filled with terms that keep every bound, or with the draft."""
    listing = _own(listing_id)
    form, row, failed = RoundForm(formdata=None), open_round(listing_id), failed_lot(listing)
    source: Any = row if row is not None else failed[1].suggestion if failed and failed[1].allowed else None
    if source is not None:
        for name in ("start", "increment", "deposit"):
            form[name].show(getattr(source, f"{name}_minor"))
        form.opens_at.show(source.opens_at)
        form.ends_at.show(source.ends_at)
    if row is not None:
        form.parties_notified_at.show(row.parties_notified_at)
        form.notification_note.data = row.notification_note
    return _form_page(listing, form)


def _form_page(listing: Listing, form: RoundForm) -> str:
    return render_template(
        "listings/round.html", listing=listing, form=form, profile=facts.profile_of(listing), **round_view(listing)
    )


@bp.post("/listings/mine/<int:listing_id>/round")
@access(banker)
def save_round(listing_id: int) -> ResponseReturnValue:
    """Keep the terms if every rule allows them; else the same page with each objection at its field."""
    listing, form = _own(listing_id), RoundForm()
    if not form.validate():
        place_problems(form, round_problems(listing, form.values()))
        return _form_page(listing, form), 422
    try:
        with db.session.begin_nested():
            service.propose_round(current_actor(), listing_id, form.values())
    except Invalid as refused:
        show_problems(form, refused)
        return _form_page(listing, form), 422
    flash(_("下一轮的价格和时间已保存。请核对公告预览，再提交第二人复核。"), "success")
    return redirect(url_for("listings.listing_page", listing_id=listing_id) + "#next-round")


@bp.get("/listings/mine/<int:listing_id>/round/notice")
@access(org("bank", "platform"))
def round_preview(listing_id: int) -> ResponseReturnValue:
    """The notice of the next round as it would be published now."""
    listing = _own(listing_id)
    row = open_round(listing_id)
    if row is None:
        raise NotFound("round_unknown", _("没有正在安排的下一轮"))
    data = facts.round_notice_data(listing, row, account_line())
    where = "listings.manage_page" if current_actor().is_manager else "listings.listing_page"
    return render_template(
        "listings/notice.html",
        listing=listing,
        text=notice_text(data),
        sha256=None,
        notices=[],
        published=False,
        summary=english_summary(data),
        corrections=[],
        back=url_for(where, listing_id=listing_id) + "#next-round",
    )


def _here(listing_id: int, text: str) -> ResponseReturnValue:
    flash(text, "success")
    return redirect(url_for("listings.listing_page", listing_id=listing_id) + "#next-round")


def _there(listing_id: int, text: str) -> ResponseReturnValue:
    flash(text, "success")
    return redirect(url_for("listings.manage_page", listing_id=listing_id) + "#next-round")


@bp.post("/listings/mine/<int:listing_id>/round/submit")
@access(banker)
def submit_round(listing_id: int) -> ResponseReturnValue:
    service.submit_round(current_actor(), listing_id)
    return _here(listing_id, _("已提交第二人复核。复核通过后，平台开始审核。"))


@bp.post("/listings/mine/<int:listing_id>/round/decide")
@access(banker)
def decide_round(listing_id: int) -> ResponseReturnValue:
    """The second banker's decision."""
    listing = _own(listing_id)
    agreed = _decide("listing.round_submit", listing.id)
    return _here(listing_id, _("已提交平台审核。") if agreed else _("已退回经办人。"))


@bp.post("/listings/mine/<int:listing_id>/round/drop")
@access(banker)
def drop_round(listing_id: int) -> ResponseReturnValue:
    service.drop_round(current_actor(), listing_id)
    return _here(listing_id, _("已放弃这一轮的草稿。"))


@bp.post("/manage/listings/<int:listing_id>/round/review")
@access(manager)
def review_round(listing_id: int) -> ResponseReturnValue:
    form = RoundReviewForm()
    if not form.validate() or len(form.items.data or []) < len(texts.ROUND_REVIEW_ITEMS):
        raise Refused("checklist_incomplete", _("请逐项确认；有问题的，请退回银行"))
    service.review_round(current_actor(), listing_id, form.items.data or [], form.note.data or "")
    return _there(listing_id, _("审核完成，等待另一名管理人员发布。"))


@bp.post("/manage/listings/<int:listing_id>/round/return")
@access(manager)
def return_round(listing_id: int) -> ResponseReturnValue:
    service.send_back_round(current_actor(), listing_id, request.form.get("reason", ""))
    return _there(listing_id, _("已退回银行修改。"))


@bp.post("/manage/listings/<int:listing_id>/round/publish")
@access(manager)
def publish_round(listing_id: int) -> ResponseReturnValue:
    service.publish_round(current_actor(), listing_id)
    return _there(listing_id, _("下一轮公告已发布。"))


def _decide(kind: str, listing_id: int) -> bool:
    waiting = approvals.open_approval(kind, "listing", listing_id)
    if waiting is None:
        raise Refused("approval_decided", _("这项申请已经处理"))
    agreed = request.form.get("decision") == "approve"
    approvals.decide(waiting.id, current_actor(), approve=agreed, reason=request.form.get("reason", ""))
    return agreed
