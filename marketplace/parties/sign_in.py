"""Sign-in: who looks at this page. Makes one Actor per request before access is decided."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any

from flask import current_app, g, redirect, request, session, url_for
from flask_login.utils import _user_context_processor
from flask_security.confirmable import confirm_email_token_status
from flask_security.core import Security
from flask_security.datastore import SQLAlchemyUserDatastore
from flask_security.signals import password_reset, tf_disabled, tf_profile_changed, user_authenticated
from flask_security.utils import do_flash, get_message
from sqlalchemy import bindparam, select
from werkzeug.exceptions import NotFound as NoSuchPage
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.wrappers import Response as BaseResponse

from marketplace.core.access import policy_of, public
from marketplace.core.actor import PUBLIC, Actor
from marketplace.core.db import db
from marketplace.core.direct import this_g, this_request
from marketplace.core.i18n import LANGUAGES
from marketplace.parties import locking
from marketplace.parties.models import Membership, Organisation, Role, User
from marketplace.parties.next_page import drop_foreign_next
from marketplace.parties.second_factor import (
    NEEDING_KINDS,
    PASSED,
    OnceTotp,
    excused,
    second_factor_settings,
    with_setup_kept,
)
from marketplace.parties.sign_in_forms import (
    CodeForm,
    ConfirmationForm,
    ForgottenPasswordForm,
    NewPasswordForm,
    PasswordAgainForm,
    Passwords,
    RecoveryCodeForm,
    RescueForm,
    ResetForm,
    SetupForm,
    SignInForm,
)
from marketplace.parties.sign_in_mail import OutboxMail
from marketplace.parties.sign_in_texts import message_settings

if TYPE_CHECKING:
    from marketplace import Zhiliu

security = Security(mail_util_cls=OutboxMail, password_util_cls=Passwords, totp_cls=OnceTotp)
SIGNED_IN_AT = "zl_signed_in_at"
LONGEST_SESSION = timedelta(hours=12)
PROVES_AGAIN = "auctions.bid"
REMEMBERED_SECONDS = 5.0
_remembered: dict[str, tuple[float, Sequence[Any]]] = {}  # by the session's name of the user: until when, rows
STATIC = frozenset({"static", "bootstrap.static"})
PAGES = {
    "LOGIN_USER": "login",
    "LOGOUT_USER": "logout",
    "FORGOT_PASSWORD": "forgot",
    "RESET_PASSWORD": "reset",
    "CHANGE_PASSWORD": "change",
    "SEND_CONFIRMATION": "confirm",
    "VERIFY": "verify",
    "TWO_FACTOR_SETUP": "setup",
    "TWO_FACTOR_VERIFY_CODE": "code",
    "MULTI_FACTOR_RECOVERY": "recovery",
    "MULTI_FACTOR_RECOVERY_CODES": "recovery_codes",
}
#: Library pages this product does not offer.
OFF = frozenset({"security.two_factor_rescue", "security.tf_select"})
#: Of what needs someone signed in, what a user without their second factor may still reach, and of the
#: library's pages, which are open to access, what they may not.
WITHOUT_SECOND_FACTOR = frozenset({"parties.security", "parties.sign_out_all"})
ONLY_WITH_SECOND_FACTOR = frozenset({"security.mf_recovery_codes", "security.change_password"})
WHO = (
    select(
        User.id.label("user_id"),
        User.demo,
        User.display_name,
        User.email,
        Membership.id.label("membership_id"),
        Membership.roles,
        Organisation.id.label("org_id"),
        Organisation.kind,
        Organisation.state,
        Organisation.name.label("org_name"),
    )
    .outerjoin(Membership, (Membership.user_id == User.id) & Membership.active)
    .outerjoin(Organisation, Organisation.id == Membership.org_id)
    .where(User.fs_uniquifier == bindparam("who"), User.active)
    .order_by(Membership.id)
)


class Datastore(SQLAlchemyUserDatastore):
    """The library may not commit: the edge does, once a request (law 1)."""

    def commit(self) -> None:
        self.db.session.flush()


def actor_from(rows: Sequence[Any], membership_id: int | None) -> Actor:
    """The user of these rows, acting for the chosen organisation, else for their first."""
    row = next((row for row in rows if row.membership_id == membership_id), rows[0])
    if row.org_id is None:
        return Actor(user_id=row.user_id)
    return Actor(
        user_id=row.user_id,
        org_id=row.org_id,
        org_kind=row.kind,
        org_verified=row.state == "verified",
        roles=frozenset(row.roles),
    )


def actor_of(user: User, membership_id: int | None) -> Actor:
    """The user acting for one of their organisations (the chosen one, else the first)."""
    rows = list(db.session.execute(WHO, {"who": user.fs_uniquifier}))
    return actor_from(rows, membership_id) if rows else PUBLIC


def end_session() -> None:
    """Forget who was signed in; the language stays."""
    kept = session.get("lang")
    session.clear()
    if kept:
        session["lang"] = kept


def sign_out_everywhere(user_id: int) -> None:
    """End every session of the user, here and elsewhere. Sessions name the user by this value."""
    user = db.session.get_one(User, user_id)
    user.fs_uniquifier = uuid.uuid4().hex
    db.session.flush()


def _rows_of(who: str) -> Sequence[Any]:
    """The user's memberships. A bid may take those of a moment ago: it proves them again under the lot's lock."""
    until, rows = _remembered.get(who, (0.0, ()))
    if request.endpoint == PROVES_AGAIN and time.monotonic() < until:
        return rows
    rows = list(db.session.execute(WHO, {"who": who}))
    if len(_remembered) > 10_000:
        _remembered.clear()
    _remembered[who] = time.monotonic() + REMEMBERED_SECONDS, rows
    return rows


def look() -> Actor:
    """Who makes this request, in one query; sets ``g.second_factor_missing``."""
    who = session.get("_user_id")
    if not who or request.endpoint in STATIC:
        return PUBLIC
    began = session.get(SIGNED_IN_AT)
    if began is not None and time.time() - began > LONGEST_SESSION.total_seconds():
        end_session()
        return PUBLIC
    rows = _rows_of(who)
    if not rows:  # signed out everywhere, or no longer active
        end_session()
        return PUBLIC
    actor = actor_from(rows, session.get("membership"))
    g.who = rows  # one row an organisation of the user: pages show names and the switch without asking again
    needed = any(row.kind in NEEDING_KINDS for row in rows) and not excused(rows[0].demo)
    if needed and not session.get(PASSED):
        g.second_factor_missing = True
        return Actor(user_id=actor.user_id)
    return actor


def identify() -> BaseResponse | None:
    """Before each request. Without the second factor that the user's organisation needs, nothing but its setup
    and what is public can be reached."""
    kept, asked = this_g(), this_request()
    endpoint = asked.endpoint
    for name in ("_login_user", "fs_authn_via", "fs_paa", "csrf_token", "csrf_valid"):
        kept.pop(name, None)  # where contexts are shared (a shell, a test), a request starts with nobody
    kept |= {"second_factor_missing": False, "who": [], "actor": PUBLIC}
    if asked.path.startswith("/api/"):
        return None  # a browser's session is not looked at: the token tells who it is
    if endpoint is not None:
        if endpoint in OFF:
            raise NoSuchPage
        if endpoint.startswith("security.") and request.is_json:
            raise UnsupportedMediaType
    kept["actor"] = look()
    if kept["second_factor_missing"] and endpoint and not open_without_second_factor(endpoint):
        return redirect(url_for("security.two_factor_setup"))
    return None


def open_without_second_factor(endpoint: str) -> bool:
    if endpoint in ONLY_WITH_SECOND_FACTOR:
        return False
    return endpoint in WITHOUT_SECOND_FACTOR or policy_of(current_app, endpoint) is public


def signed_in(sender: Any, user: User, authn_via: list[str] | None = None, **extra: Any) -> None:
    """A sign-in is complete. Everything the session held before it is dropped, so nothing planted survives."""
    changed = authn_via == ["change"]
    after_code = authn_via is None and session.get("tf_user_id") == user.fs_uniquifier
    kept = {name: session[name] for name in ("_user_id", "_fresh", "_id", "fs_paa", "fs_cc") if name in session}
    for name in ("_flashes", "tf_user_id", "tf_state", "tf_remember_login", "lang"):
        if name in session:
            kept[name] = session[name]
    if changed:
        kept |= {name: session[name] for name in (PASSED, "membership") if name in session}
    session.clear()
    session.update(kept)
    session.setdefault("lang", user.language if user.language in LANGUAGES else "zh")
    g.pop("csrf_token", None)
    session[SIGNED_IN_AT] = int(time.time())
    if after_code:
        session[PASSED] = True
    locking.note_success(user.id)


def second_factor_set_up(sender: Any, user: User, **extra: Any) -> None:
    session[PASSED] = True


def second_factor_gone(sender: Any, user: User, **extra: Any) -> None:
    session.pop(PASSED, None)
    user.tf_last_counter = user.mf_recovery_codes = None


def password_was_reset(sender: Any, user: User, **extra: Any) -> None:
    locking.forgive(user.id)


def with_confirmed_sent_to_sign_in(library: Any) -> Any:
    """A confirm link that already did its work leads to sign-in; the library shows the form that sends another."""

    @wraps(library)
    def confirm(token: str) -> Any:
        _expired, invalid, user = confirm_email_token_status(token)
        if user is None or invalid or user.confirmed_at is None:
            return library(token)
        do_flash(get_message("ALREADY_CONFIRMED")[0], "success")
        return redirect(url_for("security.login"))

    return confirm


def library_settings(app: Zhiliu) -> dict[str, Any]:
    translations = app.config.get("BABEL_TRANSLATION_DIRECTORIES", "translations").split(";")
    return {
        "SECURITY_PASSWORD_SALT": app.settings.password_salt,
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_LENGTH_MIN": 10,
        "SECURITY_USER_IDENTITY_ATTRIBUTES": [
            {"email": {"mapper": lambda text: text.strip().lower(), "case_insensitive": True}}
        ],
        "SECURITY_URL_PREFIX": "/account",
        "SECURITY_STATIC_FOLDER": None,
        "SECURITY_CLI_USERS_NAME": None,
        "SECURITY_CLI_ROLES_NAME": None,
        "SECURITY_CONFIRMABLE": True,
        "SECURITY_RECOVERABLE": True,
        "SECURITY_CHANGEABLE": True,
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_RESET_PASSWORD_WITHIN": timedelta(hours=2),
        "SECURITY_CONFIRM_EMAIL_WITHIN": timedelta(days=2),
        "SECURITY_FRESHNESS": timedelta(hours=1),
        "SECURITY_FRESHNESS_GRACE_PERIOD": timedelta(minutes=15),
        "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},  # no look-up in the name service
        "SECURITY_API_ENABLED_METHODS": ["session"],
        "SECURITY_POST_LOGIN_VIEW": "/desk",  # what waits for you, not the public front
        "SECURITY_POST_CHANGE_VIEW": "parties.security",
        "SECURITY_EMAIL_HTML": False,
        "SECURITY_JOIN_USER_ROLES": False,
        **{f"SECURITY_{name}_TEMPLATE": f"parties/sign_in/{page}.html" for name, page in PAGES.items()},
        # its texts come from our own catalogues
        "SECURITY_I18N_DOMAIN": "messages",
        "SECURITY_I18N_DIRNAME": translations,
        **second_factor_settings(app.settings.secret_key),
        **message_settings(),
    }


def configure_sign_in(app: Zhiliu) -> None:
    from marketplace.parties.limits import limit_sign_in

    app.config.update(library_settings(app))
    security.init_app(
        app,
        Datastore(db, User, Role),
        login_form=SignInForm,
        two_factor_setup_form=SetupForm,
        two_factor_verify_code_form=CodeForm,
        two_factor_rescue_form=RescueForm,
        mf_recovery_form=RecoveryCodeForm,
        verify_form=PasswordAgainForm,
        change_password_form=NewPasswordForm,
        forgot_password_form=ForgottenPasswordForm,
        reset_password_form=ResetForm,
        send_confirmation_form=ConfirmationForm,
    )
    security.want_json(lambda asked: False)  # programs use API tokens, people use pages
    security.login_manager.request_loader(lambda asked: None)
    # the library would load the user with another query on every request and every page
    app.before_request_funcs[None].remove(security.principal._on_before_request)
    app.template_context_processors[None].remove(_user_context_processor)
    for endpoint, wrap in (
        ("security.confirm_email", with_confirmed_sent_to_sign_in),
        ("security.two_factor_setup_validate", with_setup_kept),
        ("security.two_factor_token_validation", with_setup_kept),
    ):
        app.view_functions[endpoint] = wrap(app.view_functions[endpoint])
    remember = security.login_manager._update_remember_cookie
    hooks = app.after_request_funcs[None]
    hooks[hooks.index(remember)] = lambda answer: remember(answer) if session.modified else answer
    app.before_request(identify)
    app.before_request(drop_foreign_next)
    for signal, call in (
        (user_authenticated, signed_in),
        (tf_profile_changed, second_factor_set_up),
        (tf_disabled, second_factor_gone),
        (password_reset, password_was_reset),
    ):
        signal.connect(call, app)
    for endpoint, view in app.view_functions.items():
        if endpoint.startswith("security."):
            view.access_policy = public  # type: ignore[union-attr]  # its own decorators decide
    limit_sign_in(app)
