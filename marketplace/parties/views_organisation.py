"""The organisation's own pages: what it says of itself, its documents, its state and what comes next."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from marketplace.core import approvals
from marketplace.core.access import access, current_actor, member, signed_in
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import DomainError, Invalid, NotFound, Problem
from marketplace.core.events import record
from marketplace.core.i18n import _, _l
from marketplace.core.models import Document
from marketplace.parties import organisations
from marketplace.parties.forms import AccountForm, DocumentForm, NewOrgForm, OrgForm, put_problems
from marketplace.parties.second_factor import on_demo_site
from marketplace.parties.service import get_org
from marketplace.parties.texts import KIND_NAMES, STATE_NAMES, STATE_TONES, steps_of
from marketplace.parties.views import bp


def page(status: int = 200, **given: FlaskForm) -> ResponseReturnValue:
    """The settings page with the forms given, the others filled from the database."""
    org = get_org(current_actor().org_id or 0)
    shown: dict[str, Any] = {
        "form": given.get("form") or OrgForm(formdata=None, obj=org),
        "account_form": given.get("account_form") or AccountForm(formdata=None, obj=org),
        "document_form": given.get("document_form") or DocumentForm(formdata=None),
    }
    html = render_template(
        "parties/settings.html",
        org=org,
        documents=organisations.documents_of(org.id),
        document_kinds=organisations.DOCUMENT_KINDS,
        missing=organisations.missing_for_submission(org) if org.state in ("draft", "rejected") else [],
        account_change=approvals.open_approval(organisations.ACCOUNT_KIND, "organisation", org.id),
        can_edit=current_actor().may("admin"),
        fixed=org.state in ("submitted", "verified", "suspended"),
        steps=steps_of(org),
        kind_name=KIND_NAMES[org.kind],
        state_name=STATE_NAMES[org.state],
        state_tone=STATE_TONES[org.state],
        **shown,
    )
    return html, status


def attempt(form: FlaskForm, name: str, act: Any, done: str, *, typed: bool = True) -> ResponseReturnValue:
    """Do it and say so; or show the page again with what was typed and every fault at its field.

    A button without fields sends no form (``typed`` false): the form only shows the faults."""
    try:
        if typed and not form.validate_on_submit():
            return page(422, **{name: form})
        with db.session.begin_nested():
            act()
    except DomainError as error:
        if error.status not in (409, 422):
            raise
        put_problems(form, error)
        return page(422, **{name: form})
    flash(done, "success")
    return redirect(url_for("parties.settings"))


@bp.get("/organisation")
@access(signed_in)
def settings() -> ResponseReturnValue:
    if current_actor().org_id is None:
        return redirect(url_for("parties.new_organisation"))
    return page()


@bp.post("/organisation")
@access(member)
def edit_organisation() -> ResponseReturnValue:
    form = OrgForm()
    actor = current_actor()
    return attempt(form, "form", lambda: organisations.edit_org(form.org_data(), actor), _("机构资料已保存"))


@bp.post("/organisation/account")
@access(member)
def change_account() -> ResponseReturnValue:
    form = AccountForm()
    actor = current_actor()
    verified = actor.org_verified
    done = _("变更申请已提交，须由另一名有复核权限的成员确认后生效") if verified else _("收款账户已保存")
    return attempt(form, "account_form", lambda: organisations.change_account(form.account_data(), actor), done)


@bp.post("/organisation/account/<int:approval_id>")
@access(member)
def decide_account(approval_id: int) -> ResponseReturnValue:
    approve = request.form.get("decision") == "approve"
    approvals.decide(approval_id, current_actor(), approve=approve, reason=request.form.get("reason", ""))
    flash(_("收款账户变更已生效") if approve else _("收款账户变更已拒绝"), "success")
    return redirect(url_for("parties.settings"))


@bp.post("/organisation/documents")
@access(member)
def add_document() -> ResponseReturnValue:
    form = DocumentForm()
    actor = current_actor()

    def act() -> None:
        from marketplace.core.files import keep_upload

        org = organisations.own_org(actor)
        problems = []
        if form.kind.data not in organisations.DOCUMENT_KINDS:
            problems.append(Problem("document_kind", _l("请选择材料类型"), "kind"))
        if not form.file.data or not getattr(form.file.data, "filename", ""):
            problems.append(Problem("file_needed", _l("请选择文件"), "file"))
        if problems:
            raise Invalid(problems)
        keep_upload(
            form.file.data,
            kind=form.kind.data,
            subject="organisation",
            subject_id=org.id,
            actor=actor,
            visibility="manager",
        )

    return attempt(form, "document_form", act, _("材料已上传"))


@bp.post("/organisation/documents/<int:document_id>/remove")
@access(member)
def remove_document(document_id: int) -> ResponseReturnValue:
    org = organisations.own_org(current_actor())
    document = db.session.get(Document, document_id)
    if document is None or (document.subject, document.subject_id) != ("organisation", org.id):
        raise NotFound("document_unknown", _l("没有这份材料"))
    organisations.expect_state(org, "draft", "rejected")
    if document.removed_at is None:
        document.removed_at = now()
        record("organisation.document_removed", "organisation", org.id, current_actor(), document_id=document.id)
    flash(_("材料已移除"), "success")
    return redirect(url_for("parties.settings"))


@bp.post("/organisation/submit")
@access(member)
def submit_organisation() -> ResponseReturnValue:
    actor = current_actor()
    form = OrgForm(formdata=None, obj=get_org(actor.org_id or 0))
    return attempt(
        form, "form", lambda: organisations.submit_org(actor), _("已提交核验，结果会发到您的邮箱"), typed=False
    )


@bp.route("/organisation/new", methods=["GET", "POST"])
@access(signed_in)
def new_organisation() -> ResponseReturnValue:
    form = NewOrgForm()
    actor = current_actor()
    if form.validate_on_submit():
        try:
            with db.session.begin_nested():
                org = organisations.create_org(
                    form.kind.data or "", form.org_data(), actor.user_id, actor, demo=on_demo_site()
                )
            session["membership"] = organisations.membership_of(actor.user_id or 0, org.id)
            flash(_("机构已登记。请补充资料并提交核验。"), "success")
            return redirect(url_for("parties.settings"))
        except Invalid as error:
            put_problems(form, error)
    return render_template("parties/new_organisation.html", form=form), 422 if form.is_submitted() else 200


@bp.post("/organisation/switch")
@access(signed_in)
def switch_organisation() -> ResponseReturnValue:
    asked = request.form.get("membership", "")
    mine = {str(row.membership_id) for row in g.who if row.membership_id}
    if asked not in mine:
        raise NotFound("member_unknown", _l("您不是该机构的成员"))
    session["membership"] = int(asked)
    return redirect("/")
