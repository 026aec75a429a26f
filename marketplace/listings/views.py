"""Public pages of the listings room; the bank's and the managers' part stands in ``views_bank``, ``views_manage``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.auctions.models import Lot, LotState
from marketplace.auctions.rule_words import length
from marketplace.auctions.rules.deadlines import Deadline
from marketplace.auctions.rules.profiles import Profile
from marketplace.core import files
from marketplace.core.access import access, current_actor, org, public, signed_in
from marketplace.core.calendar import holidays_known, legal_date
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import DomainError, Invalid, NotFound, Problem
from marketplace.core.i18n import _, get_locale, source_words
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


#: What no longer falls due once the round ended so.
MOOT = {"sold": ("reauction_latest",), "unsold": ("winner_deposit_transfer", "balance")}


def timeline_steps(listing: Listing, at: datetime, latest: tuple[Lot, LotState] | None = None) -> list[dict[str, Any]]:
    """The profile's computed deadlines as steps: those past are done, the next one is now. ``latest``: the round they
    are of, with what became of it (else the draft); what is moot is left out, and a rehearsal that has opened no longer
    waits for its notice."""
    steps: list[dict[str, Any]] = []
    current = False
    sandbox = listing.profile_code == SANDBOX
    lines = facts.round_timeline(listing, *latest) if latest else facts.timeline(listing, at)
    outcome = latest[1].state if latest else ""
    for line in lines:
        if line.code in MOOT.get(outcome, ()) or (sandbox and line.code == "notice_satisfied"):
            continue
        done = line.at <= at and (listing.published_at is not None or _told_by(listing, line))
        state = "done" if done else "next"
        if not done and not current:
            state, current = "now", True
        note = _("随竞价结束时间变动") if line.provisional else None
        last_day = legal_date(line.at - timedelta(microseconds=1))  # 24:00 still belongs to its day
        if line.workdays and not holidays_known(last_day):
            note = _("按周一至周五计算：%(year)s 年的放假安排尚未载入", year=last_day.year)
        title = texts.TIMELINE.get(line.code, line.name_zh)
        steps.append({"title": title, "when": line.at, "state": state, "text": note, "source": line.source})
    return steps


def _told_by(listing: Listing, line: Deadline) -> bool:
    """The one step that comes before publication: whether the parties were notified in time."""
    told = listing.parties_notified_at
    return line.code == "parties_notified" and told is not None and told <= line.at


def plain_rules(profile: Profile) -> list[tuple[Any, str]]:
    """The rule profile in plain words: (sentence, source)."""
    window = profile.extension_window
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
                "结束前 %(window)s内有出价的，自该出价起顺延 %(length)s，次数不限。",
                window=length(window, profile),
                length=length(profile.extension_length, profile),
            ),
            window.source,
        )
    )
    if profile.priority_right.value:
        lines.append((_("经确认的优先购买权人可以以相同价格出价。"), profile.priority_right.source))
    lines.append(
        (
            _(
                "未成交者的保证金在竞价结束后 %(length)s内退还。",
                length=length(profile.refund_hours, profile),
            ),
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
    """Every published offer; drawn by the room that searches (``shown_by``)."""
    return _list_page[0]()


_list_page: list[Callable[[], ResponseReturnValue]] = []


def shown_by(page: Callable[[], ResponseReturnValue]) -> Callable[[], ResponseReturnValue]:
    """The room above that finds draws the list at its old address."""
    _list_page[:] = [page]
    return page


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
        steps=timeline_steps(listing, at, rounds[-1]) if rounds else [],
        notices=notices_of(listing, rounds),
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


def notices_of(listing: Listing, rounds: list[tuple[Lot, LotState]]) -> list[dict[str, Any]]:
    """The notice of each round, oldest first: its address, hash and moment."""
    return [
        {
            "round_no": lot.round_no,
            "href": url_for("listings.round_notice_page", number=listing.number, round_no=lot.round_no),
            "sha256": lot.facts.get("notice_sha256"),
            "published_at": lot.published_at,
        }
        for lot, _state in rounds
    ]


@bp.get("/listings/<number>/notice")
@access(public)
def notice_page(number: str) -> ResponseReturnValue:
    """The latest round's notice as frozen, for reading and printing."""
    return _notice_page(number, None)


@bp.get("/listings/<number>/notice/<int:round_no>")
@access(public)
def round_notice_page(number: str, round_no: int) -> ResponseReturnValue:
    """The notice of one round; 404 ``round_unknown``."""
    return _notice_page(number, round_no)


def _notice_page(number: str, round_no: int | None) -> str:
    listing = queries.public_listing(number)
    rounds, later = queries.rounds_of(listing.id), queries.published_rounds(listing.id)
    wanted = round_no if round_no is not None else later[-1].round_no if later else 1
    row = next((row for row in later if row.round_no == wanted), None)
    if row is None and wanted != 1:
        raise NotFound("round_unknown", _("没有这一轮"))
    data = facts.round_notice_data(listing, row, "", row.published_at) if row else facts.notice_data(listing)
    return render_template(
        "listings/notice.html",
        listing=listing,
        text=row.notice_text if row else listing.notice_text,
        sha256=row.notice_sha256 if row else listing.notice_sha256,
        notices=notices_of(listing, rounds) if later else [],
        shown=wanted,
        published=True,
        summary=english_summary(data),
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


#: Says no more than that it is so: not worth its words beside a field.
OWN_RULE = "平台规则"
#: What a rule calls a thing, and the field where it is typed.
TYPED_AT = {"valuation_date": "appraisal_date"}


def show_problems(form: Any, refused: DomainError) -> None:
    """Put each problem at its field with the rule it rests on; those without one at the form's top."""
    place_problems(form, refused.problems)


def place_problems(form: Any, problems: Iterable[Problem]) -> None:
    """The same for problems at hand. A field that could not be read already says so, and no rule adds to it."""
    unread = {name for name, field in form._fields.items() if field.errors}
    for problem in problems:
        name = (problem.field or "").removesuffix("_minor")
        name = TYPED_AT.get(name, name)
        if name in unread:
            continue
        place = form._fields.get(name)
        source = source_words(problem.source) if problem.source != OWN_RULE else ""
        text = (
            _("%(text)s（依据：%(source)s）", text=problem.message, source=source) if source else str(problem.message)
        )
        if place is None:
            form.form_errors.append(text)
        else:
            place.errors = [*place.errors, text]


from marketplace.listings import views_bank, views_manage, views_rounds  # noqa: E402  (their part of the URL map)

__all__ = ["bp", "views_bank", "views_manage", "views_rounds"]
