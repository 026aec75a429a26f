"""Public pages of the listings room; the bank's and the managers' part stands in ``views_bank``, ``views_manage``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.auctions.rules.profiles import Profile
from marketplace.core import files
from marketplace.core.access import access, current_actor, org, public, signed_in
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import DomainError, Invalid
from marketplace.core.i18n import _, get_locale
from marketplace.listings import facts, filters, queries, service, texts
from marketplace.listings.forms import ObjectionForm, TextOnlyForm
from marketplace.listings.models import Listing
from marketplace.listings.notice import english_summary
from marketplace.listings.rules import SANDBOX
from marketplace.rights.rules.kinds import KINDS

bp = Blueprint("listings", __name__)
bidder = org("bank", "operator", "enterprise", verified=True)


@bp.app_context_processor
def words() -> dict[str, Any]:
    """Names of states, channels and kinds for the templates of this room."""
    return {"listing_texts": texts, "kind_name": kind_name}


def kind_name(code: str) -> str:
    """A kind of right in the reader's language; the code where it is unknown."""
    for info in KINDS.values():
        if info.code == code:
            return info.en if str(get_locale()) == "en" else info.zh
    return code


def sale_text(state: str) -> Any:
    return texts.SALE_STATES.get(state) or texts.STATES.get(state, state)


#: What no longer falls due once the first round ended so.
MOOT = {"sold": ("reauction_latest",), "unsold": ("winner_deposit_transfer", "balance")}


def timeline_steps(
    listing: Listing, at: datetime, outcome: str = "", ends_at: datetime | None = None
) -> list[dict[str, Any]]:
    """The profile's computed deadlines as steps: those past are done, the next one is now. ``outcome`` of the first
    round, if it ended, leaves out what is moot; a rehearsal that has opened no longer waits for its notice."""
    steps: list[dict[str, Any]] = []
    current = False
    sandbox = listing.profile_code == SANDBOX
    for line in facts.timeline(listing, at, ends_at):
        if line.code in MOOT.get(outcome, ()) or (sandbox and line.code == "notice_satisfied"):
            continue
        done = line.at <= at and listing.published_at is not None
        state = "done" if done else "next"
        if not done and not current:
            state, current = "now", True
        note = _("随竞价结束时间变动") if line.provisional else None
        title = texts.TIMELINE.get(line.code, line.name_zh)
        steps.append({"title": title, "when": line.at, "state": state, "text": note, "source": line.source})
    return steps


def plain_rules(profile: Profile) -> list[tuple[Any, str]]:
    """The rule profile in plain words: (sentence, source)."""
    window, length = profile.extension_window, profile.extension_length
    lines: list[tuple[Any, str]] = []
    if profile.start_floor:
        percent = f"{profile.start_floor.value / 100:g}%"
        lines.append((_("起拍价不低于评估价或市场价的 %(percent)s。", percent=percent), profile.start_floor.source))
    lines.append(
        (
            _("一人出价不低于起拍价即可成交；每次加价为加价幅度的整数倍。"),
            profile.increment_multiple.source,
        )
    )
    lines.append(
        (
            _(
                "结束前 %(window)s 分钟内有出价的，自该出价起顺延 %(length)s 分钟，次数不限。",
                window=window.value // 60,
                length=length.value // 60,
            ),
            window.source,
        )
    )
    if profile.priority_right.value:
        lines.append((_("经确认的优先购买权人可以以相同价格出价。"), profile.priority_right.source))
    lines.append(
        (
            _("未成交者的保证金在竞价结束后 %(hours)s 小时内退还。", hours=profile.refund_hours.value),
            profile.refund_hours.source,
        )
    )
    if profile.identity_published.value:
        lines.append((_("成交后公开买受人的真实身份；竞价中只显示代码。"), profile.identity_published.source))
    else:
        lines.append((_("不公开买受人的身份。"), profile.identity_published.source))
    lines.append((_("买受人逾期不付余款的，保证金不予退还。"), profile.default_order.source))
    return lines


# --- what anyone sees ------------------------------------------------------------------------------------------


@bp.get("/listings")
@access(public)
def public_list() -> ResponseReturnValue:
    """Every published offer, narrowed by the filters in the address."""
    wanted = filters.read_filters(request.args)
    found = queries.public_list(wanted)
    return render_template(
        "listings/list.html",
        found=found,
        filters=wanted,
        kinds=[(code, kind_name(code)) for code in filters.KIND_CODES],
        states=[(code, texts.SALE_STATES[code], found.by_state.get(code, 0)) for code in filters.STATES],
        sorts=[
            ("new", _("最新公告")),
            ("ending", _("最早结束")),
            ("price_up", _("价格从低到高")),
            ("price_down", _("价格从高到低")),
        ],
        closings=[("1", _("1 天内")), ("3", _("3 天内")), ("7", _("7 天内")), ("30", _("30 天内"))],
        sale_text=sale_text,
    )


@bp.get("/results")
@access(public)
def results() -> ResponseReturnValue:
    """How rounds ended, newest first."""
    page = filters.read_filters(request.args).page
    found, total = queries.results_page(page)
    pages = max(1, -(-total // queries.PAGE))
    return render_template("listings/results.html", results=found, total=total, page=page, pages=pages)


@bp.get("/listings/<number>")
@access(public)
def public_page(number: str) -> ResponseReturnValue:
    return _public_page(number, TextOnlyForm(formdata=None), ObjectionForm(formdata=None))


def _public_page(number: str, question: TextOnlyForm, objection: ObjectionForm) -> str:
    actor = current_actor()
    listing = queries.public_listing(number)
    rounds = queries.rounds_of(listing.id)
    at = now()
    state = queries.sale_state(listing, rounds)
    profile = facts.profile_of(listing)
    return render_template(
        "listings/page.html",
        listing=listing,
        rounds=rounds,
        state=state,
        state_text=sale_text(state),
        now=at,
        profile=profile,
        rules=plain_rules(profile),
        steps=timeline_steps(listing, at, rounds[0][1].state, rounds[0][1].ends_at) if rounds else [],
        warnings=[item for item in profile.warnings if listing.warnings.get(item.code)],
        documents=files.list_for("listing", listing.id, actor),
        questions=queries.questions_of(listing.id),
        objections=queries.objections_of(listing.id),
        corrections=queries.corrections_of(listing.id),
        question_form=question,
        objection_form=objection,
        may_ask=bidder.allows(actor) and listing.state in ("published", "suspended"),
        may_object=actor.user_id is not None,
    )


@bp.get("/listings/<number>/notice")
@access(public)
def notice_page(number: str) -> ResponseReturnValue:
    """The published notice as frozen, for reading and printing."""
    listing = queries.public_listing(number)
    return render_template(
        "listings/notice.html",
        listing=listing,
        text=listing.notice_text,
        summary=english_summary(facts.notice_data(listing)),
        corrections=queries.corrections_of(listing.id),
        back=url_for("listings.public_page", number=number),
    )


@bp.post("/listings/<number>/questions")
@access(bidder)
def ask(number: str) -> ResponseReturnValue:
    listing, form = queries.public_listing(number), TextOnlyForm()
    if not form.validate():
        return _public_page(number, form, ObjectionForm(formdata=None)), 422
    service.ask(current_actor(), listing.id, form.text.data or "")
    flash(_("问题已公开。处置方答复后会邮件通知您。"), "success")
    return redirect(url_for("listings.public_page", number=number) + "#questions")


@bp.post("/listings/<number>/objections")
@access(signed_in)
def object_to(number: str) -> ResponseReturnValue:
    actor, form = current_actor(), ObjectionForm()
    listing = queries.public_listing(number)
    if form.validate():
        try:
            with db.session.begin_nested():
                row = service.object_to(
                    actor,
                    listing.id,
                    capacity=form.capacity.data,
                    ground=form.ground.data,
                    text=form.text.data or "",
                )
                if form.file.data:
                    files.keep_upload(
                        form.file.data,
                        kind="objection_evidence",
                        subject="objection",
                        subject_id=row.id,
                        actor=actor,
                        visibility="manager",
                    )
        except Invalid as refused:
            show_problems(form, refused)
        else:
            flash(_("异议已提交，平台将在 5 天内处理，结果公开并邮件通知您。"), "success")
            return redirect(url_for("listings.public_page", number=number) + "#objections")
    return _public_page(number, TextOnlyForm(formdata=None), form), 422


def show_problems(form: Any, refused: DomainError) -> None:
    """Put each problem at its field; those without one at the form's top."""
    for problem in refused.problems:
        place = form._fields.get((problem.field or "").removesuffix("_minor"))
        if place is None:
            form.form_errors.append(str(problem.message))
        else:
            place.errors = [*place.errors, str(problem.message)]


from marketplace.listings import views_bank, views_manage  # noqa: E402  (they add their part of the URL map)

__all__ = ["bp", "views_bank", "views_manage"]
