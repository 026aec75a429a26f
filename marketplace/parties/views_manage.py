"""The manager's pages: check organisations, record affiliations, bar and lift; the demo's mail."""

from __future__ import annotations

import email
import email.policy
import re
import unicodedata
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy import func, or_, select

from marketplace.core.access import access, current_actor, manager
from marketplace.core.actor import ORG_KINDS
from marketplace.core.db import db
from marketplace.core.errors import DomainError, Invalid, NotFound, Problem
from marketplace.core.i18n import _, _l
from marketplace.core.models import Event
from marketplace.parties import affiliations, bars, mail, organisations
from marketplace.parties.forms import AffiliateForm, BarForm, ReasonForm, put_problems
from marketplace.parties.members import members_of
from marketplace.parties.models import ORG_STATES, Organisation, User
from marketplace.parties.service import get_org
from marketplace.parties.texts import KIND_NAMES, SHORT_ROLES, STATE_NAMES, STATE_TONES
from marketplace.parties.views import bp

PAGE_SIZE = 30


@bp.get("/manage/organisations")
@access(manager)
def manage_list() -> ResponseReturnValue:
    """What waits for a check comes first, the longest waiting on top."""
    kind, state = request.args.get("kind", ""), request.args.get("state", "")
    words = " ".join(request.args.get("q", "").replace("\0", "").split())[:100]
    number = request.args.get("page", "1")
    page = int(number) if number.isdecimal() and 0 < int(number) < 10_000 else 1
    query = select(Organisation)
    if kind in ORG_KINDS:
        query = query.where(Organisation.kind == kind)
    if state in ORG_STATES:
        query = query.where(Organisation.state == state)
    if words:
        query = query.where(
            or_(
                Organisation.name.icontains(words, autoescape=True),
                Organisation.uscc.icontains(words, autoescape=True),
            )
        )
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = db.session.scalars(
        query.order_by(
            (Organisation.state == "submitted").desc(), Organisation.submitted_at.asc().nulls_last(), Organisation.id
        )
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    ).all()
    pages = max(1, -(-total // PAGE_SIZE))

    def address(to: int) -> str | None:
        kept: dict[str, Any] = {"kind": kind, "state": state, "q": words}
        return (
            url_for("parties.manage_list", page=to, **{k: v for k, v in kept.items() if v})
            if 1 <= to <= pages
            else None
        )

    return render_template(
        "parties/manage_list.html",
        rows=rows,
        total=total,
        page=page,
        pages=pages,
        previous=address(page - 1),
        next=address(page + 1),
        kind=kind,
        state=state,
        words=words,
        kind_names=KIND_NAMES,
        state_names=STATE_NAMES,
        state_tones=STATE_TONES,
    )


def bare_name(name: str | None) -> str:
    """A name to compare: without spaces and the many writings of brackets and letters."""
    return re.sub(r"[\s()·.,\-]+", "", unicodedata.normalize("NFKC", name or "")).casefold()


def detail(org_id: int, status: int = 200, **forms: FlaskForm) -> ResponseReturnValue:
    org = get_org(org_id)
    events = db.session.execute(
        select(Event, User.display_name)
        .outerjoin(User, User.id == Event.user_id)
        .where(Event.subject == "organisation", Event.subject_id == org_id)
        .order_by(Event.id.desc())
        .limit(50)
    ).all()
    barred = bars.bars_of(org_id)
    html = render_template(
        "parties/manage_detail.html",
        org=org,
        other_holder=bool(org.account_name) and bare_name(org.account_name) != bare_name(org.name),
        rows=members_of(org_id),
        documents=organisations.documents_of(org_id),
        document_kinds=organisations.DOCUMENT_KINDS,
        affiliations=affiliations.affiliations_of(org_id),
        bars=barred,
        listing_numbers=bars.listing_numbers({bar.listing_id for bar in barred if bar.listing_id is not None}),
        events=events,
        form=forms.get("form") or ReasonForm(formdata=None),
        affiliate_form=forms.get("affiliate_form") or AffiliateForm(formdata=None),
        bar_form=forms.get("bar_form") or BarForm(formdata=None),
        kind_name=KIND_NAMES[org.kind],
        state_name=STATE_NAMES[org.state],
        state_tone=STATE_TONES[org.state],
        role_names=SHORT_ROLES,
    )
    return html, status


@bp.get("/manage/organisations/<int:org_id>")
@access(manager)
def manage_detail(org_id: int) -> ResponseReturnValue:
    return detail(org_id)


def attempt(org_id: int, form: FlaskForm, name: str, act: Any, done: str) -> ResponseReturnValue:
    try:
        if not form.validate_on_submit():
            return detail(org_id, 422, **{name: form})
        with db.session.begin_nested():
            act()
    except DomainError as error:
        if error.status not in (409, 422):
            raise
        put_problems(form, error)
        return detail(org_id, 422, **{name: form})
    flash(done, "success")
    return redirect(url_for("parties.manage_detail", org_id=org_id))


@bp.post("/manage/organisations/<int:org_id>")
@access(manager)
def decide_organisation(org_id: int) -> ResponseReturnValue:
    """``act`` is verify, reject, suspend or reinstate."""
    form, actor = ReasonForm(), current_actor()
    reason = form.reason.data or ""
    acts = {
        "verify": (lambda: organisations.verify_org(org_id, actor), _("已通过核验")),
        "reject": (lambda: organisations.reject_org(org_id, reason, actor), _("已退回更正")),
        "suspend": (lambda: organisations.suspend_org(org_id, reason, actor), _("已暂停")),
        "reinstate": (lambda: organisations.reinstate_org(org_id, reason, actor), _("已恢复")),
    }
    chosen = acts.get(request.form.get("act", ""))
    if chosen is None:
        raise Invalid([Problem("act", _l("请选择操作"))])
    return attempt(org_id, form, "form", chosen[0], chosen[1])


@bp.post("/manage/organisations/<int:org_id>/affiliations")
@access(manager)
def add_affiliation(org_id: int) -> ResponseReturnValue:
    form, actor = AffiliateForm(), current_actor()
    get_org(org_id)
    return attempt(
        org_id,
        form,
        "affiliate_form",
        lambda: affiliations.affiliate(org_id, form.affiliate_uscc.data or "", form.basis.data or "", actor),
        _("关联关系已登记"),
    )


@bp.post("/manage/organisations/<int:org_id>/affiliations/<int:affiliation_id>/end")
@access(manager)
def end_affiliation(org_id: int, affiliation_id: int) -> ResponseReturnValue:
    affiliations.end_affiliation(affiliation_id, org_id, current_actor())
    flash(_("关联关系已解除"), "success")
    return redirect(url_for("parties.manage_detail", org_id=org_id))


@bp.post("/manage/organisations/<int:org_id>/bars")
@access(manager)
def add_bar(org_id: int) -> ResponseReturnValue:
    form, actor = BarForm(), current_actor()
    get_org(org_id)

    def act() -> None:
        typed = (form.listing_id.data or "").strip()
        problems = []
        listing_id = bars.listing_numbered(typed) if typed else None
        if typed and listing_id is None:
            problems.append(
                Problem("listing_number", _l("没有这个编号的挂牌，请按公告填写，如 ZL-2026-000001"), "listing_id")
            )
        if not (form.bar_reason.data or "").strip():
            problems.append(Problem("reason_needed", _l("请填写理由"), "bar_reason"))
        if problems:
            raise Invalid(problems)
        source = (form.source.data or "").strip() or None
        bars.bar_org(org_id, listing_id, form.bar_reason.data or "", source, actor)

    return attempt(org_id, form, "bar_form", act, _("已限制参与"))


@bp.post("/manage/organisations/<int:org_id>/bars/<int:bar_id>/lift")
@access(manager)
def lift_bar(org_id: int, bar_id: int) -> ResponseReturnValue:
    form, actor = ReasonForm(), current_actor()
    if bar_id not in {bar.id for bar in bars.bars_of(org_id)}:
        raise NotFound("bar_unknown", _l("没有这项限制"))
    return attempt(org_id, form, "form", lambda: bars.lift_bar(bar_id, form.reason.data or "", actor), _("限制已解除"))


def _mail_readable() -> None:
    """Mail holds links that sign people in: only a demo site without a mail server shows it."""
    settings = current_app.settings  # type: ignore[attr-defined]
    if not settings.demo or settings.mail_server:
        raise NotFound("mail_unknown", _l("没有找到您要的页面"))


@bp.get("/manage/mail")
@access(manager)
def mail_list() -> ResponseReturnValue:
    _mail_readable()
    folder = mail.mail_folder()
    paths = sorted(folder.glob("*.eml"), reverse=True)[:200] if folder.is_dir() else []
    letters = []
    for path in paths:
        letter = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        letters.append({"name": path.stem, "to": letter["To"], "subject": letter["Subject"], "date": letter["Date"]})
    return render_template("parties/mail_list.html", letters=letters)


@bp.get("/manage/mail/<name>")
@access(manager)
def mail_letter(name: str) -> ResponseReturnValue:
    _mail_readable()
    path = mail.mail_folder() / f"{name}.eml"
    if not re.fullmatch(r"\d{1,20}", name) or not path.is_file():
        raise NotFound("mail_unknown", _l("没有这封邮件"))
    letter = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    return render_template("parties/mail_letter.html", letter=letter, body=letter.get_content())
