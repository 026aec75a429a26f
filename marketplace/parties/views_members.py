"""Members, invitations, API tokens, and the user's own account."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from marketplace.core.access import access, current_actor, member, signed_in
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import DomainError, Invalid, Problem
from marketplace.core.i18n import LANGUAGES, _, _l
from marketplace.parties import members as people
from marketplace.parties import sign_in, tokens
from marketplace.parties.forms import InviteForm, ProfileForm, TokenForm, put_problems
from marketplace.parties.models import ApiToken, User
from marketplace.parties.scopes import SCOPES
from marketplace.parties.second_factor import needs_second_factor
from marketplace.parties.service import get_org
from marketplace.parties.texts import SHORT_ROLES
from marketplace.parties.views import bp


def members_page(form: InviteForm, status: int = 200) -> ResponseReturnValue:
    org_id = current_actor().org_id or 0
    html = render_template(
        "parties/members.html",
        org=get_org(org_id),
        rows=people.members_of(org_id),
        invitations=people.open_invitations(org_id),
        form=form,
        role_names=SHORT_ROLES,
        can_edit=current_actor().may("admin"),
    )
    return html, status


@bp.get("/organisation/members")
@access(member)
def members() -> ResponseReturnValue:
    return members_page(InviteForm(formdata=None))


@bp.post("/organisation/members")
@access(member)
def invite() -> ResponseReturnValue:
    form = InviteForm()
    if form.validate_on_submit():
        try:
            with db.session.begin_nested():
                people.invite(form.email.data or "", form.roles.data or [], current_actor())
            flash(_("邀请邮件已发出，链接七天内有效"), "success")
            return redirect(url_for("parties.members"))
        except Invalid as error:
            put_problems(form, error)
    return members_page(form, 422)


@bp.post("/organisation/invitations/<int:invitation_id>/revoke")
@access(member)
def revoke_invitation(invitation_id: int) -> ResponseReturnValue:
    people.revoke_invitation(invitation_id, current_actor())
    flash(_("邀请已撤销"), "success")
    return redirect(url_for("parties.members"))


@bp.post("/organisation/members/<int:membership_id>")
@access(member)
def change_member(membership_id: int) -> ResponseReturnValue:
    """``act`` is roles, deactivate or reactivate. A refusal is shown above the list."""
    actor, act = current_actor(), request.form.get("act")
    try:
        with db.session.begin_nested():
            if act == "deactivate":
                people.deactivate(membership_id, actor)
            elif act == "reactivate":
                people.reactivate(membership_id, actor)
            else:
                people.change_roles(membership_id, request.form.getlist("roles"), actor)
    except DomainError as error:
        if error.status not in (409, 422):
            raise
        form = InviteForm(formdata=None)
        put_problems(form, Invalid([Problem(error.code, error.message)]))
        return members_page(form, error.status)
    flash(_("成员已更新"), "success")
    return redirect(url_for("parties.members"))


def tokens_view(form: TokenForm, status: int = 200, fresh: tuple[ApiToken, str] | None = None) -> tuple[str, int]:
    org_id = current_actor().org_id or 0
    html = render_template(
        "parties/tokens.html",
        org=get_org(org_id),
        rows=tokens.tokens_of(org_id),
        form=form,
        scope_names=SCOPES,
        fresh=fresh,
        at=now(),
        can_edit=current_actor().may("admin"),
    )
    return html, status


@bp.get("/organisation/tokens")
@access(member)
def tokens_page() -> ResponseReturnValue:
    return tokens_view(TokenForm(formdata=None))


@bp.post("/organisation/tokens")
@access(member)
def create_token() -> ResponseReturnValue:
    """Answers with the page itself, not a redirect: the secret is shown in this one answer and nowhere else."""
    form = TokenForm()
    if form.validate_on_submit():
        days = form.days.data or ""
        try:
            with db.session.begin_nested():
                made = tokens.create_token(
                    form.name.data or "",
                    form.scopes.data or [],
                    tokens.lifetime(days),
                    current_actor(),
                )
        except Invalid as error:
            put_problems(form, error)
        else:
            html, status = tokens_view(TokenForm(formdata=None), 200, made)
            return html, status, {"Cache-Control": "no-store"}
    return tokens_view(form, 422)


@bp.post("/organisation/tokens/<int:token_id>/revoke")
@access(member)
def revoke_token(token_id: int) -> ResponseReturnValue:
    tokens.revoke_token(token_id, current_actor())
    flash(_("令牌已停用"), "success")
    return redirect(url_for("parties.tokens_page"))


def account_page(form: ProfileForm | None = None, status: int = 200) -> ResponseReturnValue:
    user = db.session.get_one(User, current_actor().user_id or 0)
    html = render_template(
        "parties/account.html",
        user=user,
        form=form or ProfileForm(formdata=None, obj=user),
        required=needs_second_factor(user),
        demo_site=current_app.settings.demo,  # type: ignore[attr-defined]
    )
    return html, status


@bp.get("/account")
@access(signed_in)
def security() -> ResponseReturnValue:
    return account_page()


@bp.post("/account")
@access(signed_in)
def edit_profile() -> ResponseReturnValue:
    form = ProfileForm()
    name = " ".join((form.display_name.data or "").split())
    problems = []
    if not name or len(name) > 100:
        problems.append(Problem("name_needed", _l("请填写您的姓名"), "display_name"))
    if form.language.data not in LANGUAGES:
        problems.append(Problem("language", _l("请选择语言"), "language"))
    if not form.validate_on_submit() or problems:
        put_problems(form, Invalid(problems or [Problem("form", _l("请重新提交"))]))
        return account_page(form, 422)
    user = db.session.get_one(User, current_actor().user_id or 0)
    user.display_name, user.language = name, form.language.data
    flash(_("已保存"), "success")
    return redirect(url_for("parties.security"))


@bp.post("/account/sign-out-everywhere")
@access(signed_in)
def sign_out_all() -> ResponseReturnValue:
    FlaskForm()  # the form carries nothing but its CSRF token, which is checked before any view
    sign_in.sign_out_everywhere(current_actor().user_id or 0)
    sign_in.end_session()
    session.modified = True
    flash(_("所有设备上的登录均已退出"), "success")
    return redirect(url_for("security.login"))
