"""The bank's pages of an offer: from an approved case to its submission, then answers and corrections."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields.choices import SelectChoice

from marketplace.auctions.rule_words import say
from marketplace.auctions.rules.findings import Finding
from marketplace.cases import queries as cases
from marketplace.core import approvals, files
from marketplace.core.access import access, current_actor, org
from marketplace.core.actor import Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Invalid, Refused
from marketplace.core.i18n import _
from marketplace.listings import desk, facts, queries, rules, service, texts
from marketplace.listings.account import account_line
from marketplace.listings.forms import (
    DocumentForm,
    NewForm,
    ReasonForm,
    RightsForm,
    TermsForm,
    TextForm,
    TextOnlyForm,
    WarningsForm,
    named,
)
from marketplace.listings.models import LISTING_STATES, Listing
from marketplace.listings.notice import english_summary, notice_text
from marketplace.listings.service_draft import TEXT_FIELDS
from marketplace.listings.views import bp, place_problems, show_problems, timeline_steps
from marketplace.parties import service as parties

banker = org("bank")
STEPS = ("rights", "text", "terms", "warnings", "documents")


@bp.get("/listings/mine")
@access(banker)
def mine() -> ResponseReturnValue:
    """The bank's offers: what waits first."""
    actor = current_actor()
    state = request.args.get("state", "")
    state = state if state in LISTING_STATES else ""
    page = request.args.get("page", 1, type=int)
    rows, counts, pages = desk.offers(actor, state=state, page=min(max(page, 1), 10_000))
    listable = desk.listable(actor.org_id or 0)
    return render_template(
        "listings/mine.html", rows=rows, counts=counts, state=state, page=page, pages=pages, listable=listable
    )


@bp.get("/listings/new")
@access(banker)
def new() -> ResponseReturnValue:
    """The offer's first step; without a case in the address, the choice of one."""
    case_id = request.args.get("case", 0, type=int)
    if not case_id:
        actor = current_actor()
        return render_template(
            "listings/choose.html", listable=desk.listable(actor.org_id or 0, 100), counts=_case_counts(actor)
        )
    return _new_page(case_id, None)


def _case_counts(actor: Actor) -> dict[str, int]:
    """How many cases the bank has in each state: what to do first depends on it."""
    return cases.list_cases(actor).by_state


@bp.post("/listings/new")
@access(banker)
def create() -> ResponseReturnValue:
    case_id = request.args.get("case", 0, type=int)
    form = _new_form(case_id)
    if not form.validate():
        return _new_page(case_id, form), 422
    try:
        with db.session.begin_nested():
            listing = service.create_listing(
                current_actor(), case_id, form.right_ids.data or [], form.profile_code.data
            )
    except Invalid as refused:
        show_problems(form, refused)
        return _new_page(case_id, form), 422
    flash(_("草稿已建立。接下来填写说明、价格和时间。"), "success")
    return redirect(url_for("listings.listing_page", listing_id=listing.id, step="text"))


def _new_form(case_id: int) -> NewForm:
    case = cases.case_for(current_actor(), case_id)
    form = NewForm()
    choose(form, case_id)
    form.profile_code.choices = _profiles(case.legal_path, case.org_id)
    return form


def _new_page(case_id: int, form: NewForm | None) -> str:
    case = cases.case_for(current_actor(), case_id)
    if case.state not in ("approved", "listed"):
        raise Refused("case_not_approved", _("案件尚未经第二人复核"))
    links = cases.pledges_of(case_id)
    taken = desk.offers_with([link.right_id for link in links])
    if form is None:
        form = _new_form(case_id)
        form.right_ids.data = [link.right_id for link in links if link.right_id not in taken]
    return render_template("listings/new.html", case=case, form=form, taken=taken, links=links)


def _profiles(legal_path: str, org_id: int) -> list[SelectChoice]:
    demo = parties.get_org(org_id).demo
    return named({code: texts.PROFILES[code] for code in rules.profile_choices(legal_path, demo)})


def choose(form: Any, case_id: int) -> None:
    form.right_ids.choices = named({link.right_id: facts.labels(link.right) for link in cases.pledges_of(case_id)})


@bp.get("/listings/mine/<int:listing_id>")
@access(banker)
def listing_page(listing_id: int) -> ResponseReturnValue:
    return _page(_own(listing_id), request.args.get("step", ""))


def _own(listing_id: int) -> Listing:
    return desk.listing_for(current_actor(), listing_id)


def _forms(listing: Listing) -> dict[str, Any]:
    """Every form of the page, filled from the listing."""
    case = facts.case_of(listing)
    rights = RightsForm(formdata=None, data={"right_ids": [item.right_id for item in listing.items]})
    choose(rights, listing.case_id)
    text = TextForm(formdata=None, data={name: getattr(listing, name) for name in TEXT_FIELDS})
    text.parties_notified_at.show(listing.parties_notified_at)
    terms = TermsForm(formdata=None, obj=listing)
    terms.profile_code.choices = _profiles(case.legal_path, listing.org_id)
    for name in ("appraisal", "start", "increment", "deposit"):
        terms[name].show(getattr(listing, f"{name}_minor"))
    terms.opens_at.show(listing.planned_opens_at)
    terms.ends_at.show(listing.planned_ends_at)
    warnings = WarningsForm(formdata=None, data={"warnings": list(listing.warnings)})
    warnings.warnings.choices = named({item.code: say(item.text_zh) for item in facts.profile_of(listing).warnings})
    return {
        "rights": rights,
        "text": text,
        "terms": terms,
        "warnings": warnings,
        "documents": DocumentForm(formdata=None),
    }


def _page(listing: Listing, step: str, **given: Any) -> str:
    from marketplace.listings.views_rounds import round_view

    actor, at = current_actor(), now()
    rounds = queries.rounds_of(listing.id)
    found = rules.said_once(facts.findings(listing, at)) if listing.published_at is None else []
    waiting = approvals.open_approval("listing.submit", "listing", listing.id)
    editable = listing.state == "draft" and waiting is None and actor.may("maker")
    offer = facts.offer_facts(listing, at)
    noticed = rules.noticed(offer)
    profile = offer.profile
    return render_template(
        "listings/edit.html",
        listing=listing,
        case=facts.case_of(listing),
        step=step if step in STEPS else "rights",
        forms_of=_forms(listing) | given,
        editable=editable,
        waiting=waiting,
        may_decide=waiting is not None and actor.may("approver") and waiting.requested_by != actor.user_id,
        refusals=[texts.problem_of(f, listing.currency) for f in found if f.severity == "refuse"],
        advice=[texts.problem_of(f, listing.currency) for f in found if f.severity == "warn"],
        health=[(item, facts.health(item.right, listing.qualification)) for item in listing.items],
        reason_text=facts.reason_text,
        snapshots={item.right_id: item.snapshot or facts.snapshot(item.right) for item in listing.items},
        hint=rules.inseparable_hint(len(listing.items), len(cases.pledges_of(listing.case_id))),
        steps=timeline_steps(listing, at, rounds[-1] if rounds else None),
        notice_items=[(item, item.code in noticed) for item in profile.notice_items],
        profile=profile,
        documents=files.list_for("listing", listing.id, actor),
        questions=queries.questions_of(listing.id),
        objections=queries.objections_of(listing.id),
        corrections=queries.corrections_of(listing.id),
        rounds=rounds,
        **round_view(listing),
        answer_form=TextOnlyForm(formdata=None),
        reason_form=ReasonForm(formdata=None),
        now=at,
    )


def _saved(listing_id: int, step: str) -> ResponseReturnValue:
    flash(_("已保存。"), "success")
    return redirect(url_for("listings.listing_page", listing_id=listing_id, step=step))


def _keep(listing: Listing, step: str, form: Any, save: Any) -> ResponseReturnValue:
    """Validate, save and go on; else the same page with what was typed."""
    if form.validate():
        try:
            with db.session.begin_nested():
                save()
        except Invalid as refused:
            show_problems(form, refused)
        else:
            following = STEPS[min(STEPS.index(step) + 1, len(STEPS) - 1)] if "next" in request.form else step
            return _saved(listing.id, following)
    return _page(listing, step, **{step: form}), 422


@bp.post("/listings/mine/<int:listing_id>/rights")
@access(banker)
def save_rights(listing_id: int) -> ResponseReturnValue:
    listing, form = _own(listing_id), RightsForm()
    choose(form, listing.case_id)
    return _keep(
        listing,
        "rights",
        form,
        lambda: service.choose_rights(current_actor(), listing_id, form.right_ids.data or []),
    )


@bp.post("/listings/mine/<int:listing_id>/text")
@access(banker)
def save_text(listing_id: int) -> ResponseReturnValue:
    listing, form = _own(listing_id), TextForm()

    def save() -> None:
        values = {name: form[name].data for name in TEXT_FIELDS}
        values["parties_notified_at"] = form.parties_notified_at.moment
        service.edit_text(current_actor(), listing_id, values)

    return _keep(listing, "text", form, save)


@bp.post("/listings/mine/<int:listing_id>/terms")
@access(banker)
def save_terms(listing_id: int) -> ResponseReturnValue:
    listing, form = _own(listing_id), _terms_form(_own(listing_id))
    form.validate()
    if form.errors:  # nothing is kept, so the rules are told along with what could not be read
        barring = [f for f in _terms_findings(listing, form) if f.severity == "refuse"]
        db.session.expire(listing)
        place_problems(form, [texts.problem_of(f, listing.currency) for f in barring])
        return _page(_own(listing_id), "terms", terms=form), 422
    return _keep(listing, "terms", form, lambda: service.edit_terms(current_actor(), listing_id, form.values()))


TERMS = {"start", "increment", "deposit", "opens_at", "ends_at", "appraisal", "valuation_date", "balance_days"}


def _terms_findings(listing: Listing, form: TermsForm) -> list[Finding]:
    """What the rules say of the terms as typed. The listing carries them until it is expired; nothing is flushed."""
    if form.profile_code.data not in [choice.value for choice in form.profile_code.choices]:
        return []
    with db.session.no_autoflush:
        for name, value in form.values().items():
            setattr(listing, name, value)
        return [f for f in facts.findings(listing) if f.field in TERMS or f.field.startswith("valuation")]


def _terms_form(listing: Listing) -> TermsForm:
    form = TermsForm()
    form.profile_code.choices = _profiles(facts.case_of(listing).legal_path, listing.org_id)
    return form


@bp.post("/listings/mine/<int:listing_id>/terms/check")
@access(banker)
def check_terms(listing_id: int) -> ResponseReturnValue:
    """What the rules say of the terms as typed, without saving; asked by the page's script while typing."""
    listing = _own(listing_id)
    form = _terms_form(listing)
    form.validate()
    with db.session.no_autoflush:
        found = _terms_findings(listing, form)
        steps = timeline_steps(listing, now())
        page = render_template(
            "listings/_check.html",
            refusals=[texts.problem_of(f, listing.currency) for f in found if f.severity == "refuse"],
            advice=[texts.problem_of(f, listing.currency) for f in found if f.severity == "warn"],
            steps=steps,
        )
    db.session.expire(listing)
    return page


@bp.post("/listings/mine/<int:listing_id>/warnings")
@access(banker)
def save_warnings(listing_id: int) -> ResponseReturnValue:
    listing, form = _own(listing_id), WarningsForm()
    form.warnings.choices = named({item.code: say(item.text_zh) for item in facts.profile_of(listing).warnings})
    return _keep(
        listing,
        "warnings",
        form,
        lambda: service.tick_warnings(current_actor(), listing_id, form.warnings.data or []),
    )


@bp.post("/listings/mine/<int:listing_id>/documents")
@access(banker)
def save_document(listing_id: int) -> ResponseReturnValue:
    listing, form = _own(listing_id), DocumentForm()
    return _keep(
        listing,
        "documents",
        form,
        lambda: service.add_document(current_actor(), listing_id, form.file.data, form.kind.data, form.visibility.data),
    )


@bp.post("/listings/mine/<int:listing_id>/documents/<int:document_id>/remove")
@access(banker)
def drop_document(listing_id: int, document_id: int) -> ResponseReturnValue:
    service.remove_document(current_actor(), listing_id, document_id)
    return _saved(listing_id, "documents")


@bp.get("/listings/mine/<int:listing_id>/notice")
@access(org("bank", "platform"))
def preview(listing_id: int) -> ResponseReturnValue:
    """The notice as it would be published now."""
    listing = _own(listing_id)
    data = facts.notice_data(listing, account_line())
    actor = current_actor()
    where = "listings.manage_page" if actor.is_manager else "listings.listing_page"
    return render_template(
        "listings/notice.html",
        listing=listing,
        text=listing.notice_text or notice_text(data),
        sha256=listing.notice_sha256,
        notices=[],
        published=listing.published_at is not None,
        summary=english_summary(data),
        corrections=[],
        back=url_for(where, listing_id=listing_id),
    )


@bp.post("/listings/mine/<int:listing_id>/submit")
@access(banker)
def submit(listing_id: int) -> ResponseReturnValue:
    service.submit(current_actor(), listing_id)
    flash(_("已提交第二人复核。复核通过后，平台开始审核。"), "success")
    return redirect(url_for("listings.listing_page", listing_id=listing_id))


@bp.post("/listings/mine/<int:listing_id>/decide")
@access(banker)
def decide_submission(listing_id: int) -> ResponseReturnValue:
    """The second banker's decision."""
    listing = _own(listing_id)
    waiting = approvals.open_approval("listing.submit", "listing", listing.id)
    if waiting is None:
        raise Refused("approval_decided", _("这项申请已经处理"))
    agreed = request.form.get("decision") == "approve"
    approvals.decide(waiting.id, current_actor(), approve=agreed, reason=request.form.get("reason", ""))
    flash(_("已提交平台审核。") if agreed else _("已退回经办人。"), "success")
    return redirect(url_for("listings.listing_page", listing_id=listing_id))


@bp.post("/listings/mine/<int:listing_id>/discard")
@access(banker)
def discard(listing_id: int) -> ResponseReturnValue:
    service.discard(current_actor(), listing_id, request.form.get("reason", ""))
    flash(_("草稿已放弃，权利可以重新挂牌。"), "success")
    return redirect(url_for("listings.mine"))


@bp.post("/listings/mine/<int:listing_id>/withdrawal")
@access(banker)
def ask_withdrawal(listing_id: int) -> ResponseReturnValue:
    service.ask_withdrawal(current_actor(), listing_id, request.form.get("reason", ""))
    flash(_("已向平台提出撤回申请，由平台两名管理人员决定。"), "success")
    return redirect(url_for("listings.listing_page", listing_id=listing_id))


@bp.post("/listings/mine/<int:listing_id>/corrections")
@access(org("bank", "platform"))
def correct(listing_id: int) -> ResponseReturnValue:
    listing = _own(listing_id)
    service.correct(current_actor(), listing.id, request.form.get("text", ""))
    flash(_("更正公告已发布。"), "success")
    return redirect(url_for("listings.public_page", number=listing.number) + "#corrections")


@bp.post("/questions/<int:question_id>/answer")
@access(banker)
def answer(question_id: int) -> ResponseReturnValue:
    row = service.answer(current_actor(), question_id, request.form.get("text", ""))
    flash(_("答复已公开。"), "success")
    return redirect(url_for("listings.listing_page", listing_id=row.listing_id) + "#questions")
