"""Sign-up of a person with an organisation, and the link of an invitation."""

from __future__ import annotations

from flask import flash, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_security.confirmable import send_confirmation_instructions
from flask_security.utils import hash_password

from marketplace.core.access import access, current_actor, public
from marketplace.core.actor import Actor
from marketplace.core.db import db
from marketplace.core.errors import Invalid, Problem
from marketplace.core.i18n import _, _l, get_locale
from marketplace.parties import members, organisations
from marketplace.parties.forms import InvitedForm, JoinForm, put_problems
from marketplace.parties.models import User
from marketplace.parties.notices import notify_address
from marketplace.parties.second_factor import on_demo_site
from marketplace.parties.views import bp


def language() -> str:
    return "en" if str(get_locale()) == "en" else "zh"


def sign_up(form: JoinForm) -> None:
    """Check everything, tell all faults at once, then register; an address that is taken gets a mail that says
    so, and the page says the same either way, so nobody learns who has an account."""
    problems: list[Problem] = []
    email = ""
    try:
        email = members.clean_email(form.email.data or "")
    except Invalid as refused:
        problems += refused.problems
    weak = members.password_problem(form.password.data or "", email)
    if weak:
        problems.append(weak)
    if not (form.display_name.data or "").strip():
        problems.append(Problem("name_needed", _l("请填写您的姓名"), "display_name"))
    if form.kind.data not in organisations.OPEN_KINDS:
        problems.append(Problem("kind_closed", _l("请选择机构类型"), "kind"))
    try:
        organisations.checked(form.org_data())
    except Invalid as refused:
        problems += refused.problems
    if problems:
        raise Invalid(problems)
    known = members.user_by_email(email)
    if known is not None:
        hash_password(form.password.data or "")  # takes as long as a new account
        notify_address(
            known.email,
            known.language,
            _l("有人用您的邮箱注册知流"),
            _l(
                "您的邮箱已有知流账号，所以没有新建账号。\n如果是您本人，请直接登录，登录后可以登记新的机构；忘记密码可以重设。"
            ),
            link="/account/login",
        )
        return
    user = members.new_user(email, form.display_name.data or "", form.password.data or "", language(), confirmed=False)
    organisations.create_org(form.kind.data, form.org_data(), user.id, Actor(user_id=user.id), demo=on_demo_site())
    send_confirmation_instructions(user)


@bp.route("/join", methods=["GET", "POST"])
@access(public)
def register() -> ResponseReturnValue:
    if current_actor().user_id is not None:
        return redirect(url_for("parties.new_organisation"))
    form = JoinForm()
    if form.validate_on_submit():
        try:
            with db.session.begin_nested():
                sign_up(form)
            return redirect(url_for("parties.register_sent"))
        except Invalid as error:
            put_problems(form, error)
    return render_template("parties/join.html", form=form), 422 if form.is_submitted() else 200


@bp.get("/join/sent")
@access(public)
def register_sent() -> ResponseReturnValue:
    return render_template("parties/join_sent.html")


@bp.route("/join/invitation/<secret>", methods=["GET", "POST"])
@access(public)
def accept_invitation(secret: str) -> ResponseReturnValue:
    invitation, org = members.find_invitation(secret)
    actor = current_actor()
    known = members.user_by_email(invitation.email)
    form = InvitedForm()
    user: User | None = db.session.get(User, actor.user_id) if actor.user_id else None
    if form.validate_on_submit():
        try:
            if user is None and known is None:
                with db.session.begin_nested():
                    user = members.new_user(
                        invitation.email,
                        form.display_name.data or "",
                        form.password.data or "",
                        language(),
                        confirmed=True,
                    )
                    members.accept_invitation(secret, user, Actor(user_id=user.id))
                flash(_("账号已建立，您已加入 %(name)s。请登录。", name=org.name), "success")
                return redirect(url_for("security.login"))
            if user is not None:
                membership = members.accept_invitation(secret, user, actor)
                session["membership"] = membership.id
                flash(_("您已加入 %(name)s", name=org.name), "success")
                return redirect(url_for("parties.settings"))
        except Invalid as error:
            put_problems(form, error)
    page = render_template(
        "parties/invitation.html",
        form=form,
        secret=secret,
        email=invitation.email,
        org=org,
        user=user,
        has_account=known is not None,
        right_account=user is not None and user.email.lower() == invitation.email,
    )
    return page, 422 if form.is_submitted() else 200
