"""Second factor by authenticator app. Members of banks and of the platform must have one."""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import wraps
from typing import Any

from flask import current_app, g, render_template, request, session
from flask_login import current_user
from flask_security.totp import Totp
from flask_security.utils import check_and_get_token_status
from sqlalchemy import select

from marketplace.core.actor import BANK, PLATFORM
from marketplace.core.db import db
from marketplace.parties.models import Membership, Organisation, User

NEEDING_KINDS = (BANK, PLATFORM)
#: Set in the session when a code or recovery code was accepted in it, and only then.
PASSED = "zl_second_factor"


def on_demo_site() -> bool:
    """Whether this site only plays: nobody who signs up here is real."""
    return bool(current_app.settings.demo)  # type: ignore[attr-defined]


def excused(user_is_demo: bool) -> bool:
    """The demo's ready-made people sign in with a password alone, on a demo site only."""
    return user_is_demo and on_demo_site()


def needs_second_factor(user: User) -> bool:
    """Whether the user is an active member of a bank or of the platform."""
    if excused(user.demo):
        return False
    found = (
        select(Membership.id)
        .join(Organisation, Organisation.id == Membership.org_id)
        .where(Membership.user_id == user.id, Membership.active, Organisation.kind.in_(NEEDING_KINDS))
    )
    return bool(db.session.scalar(select(found.exists())))


def derived_key(secret_key: str, purpose: str) -> bytes:
    """A key for one purpose from the application's secret."""
    return hmac.new(secret_key.encode(), purpose.encode(), hashlib.sha256).digest()


def second_factor_settings(secret_key: str) -> dict[str, Any]:
    """Settings of the library. Authenticator secrets and recovery codes are stored encrypted with keys made
    from SECRET_KEY; whoever changes SECRET_KEY resets them (``flask parties reset-two-factor``)."""
    return {
        "SECURITY_TWO_FACTOR": True,
        "SECURITY_TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "SECURITY_TWO_FACTOR_AUTHENTICATOR_VALIDITY": 30,  # one step of clock error either way
        "SECURITY_TWO_FACTOR_RESCUE_EMAIL": False,
        "SECURITY_TWO_FACTOR_ALWAYS_VALIDATE": True,
        "SECURITY_TWO_FACTOR_POST_SETUP_VIEW": "parties.security",
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES": True,
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES_N": 8,
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES_KEYS": [
            base64.urlsafe_b64encode(derived_key(secret_key, "recovery codes"))
        ],
        "SECURITY_TOTP_SECRETS": {"1": derived_key(secret_key, "authenticator").hex()},
        "SECURITY_TOTP_ISSUER": "Zhiliu",
    }


class OnceTotp(Totp):
    """A code that was accepted is never accepted again, even inside its 30 seconds (RFC 6238 §5.2)."""

    def get_last_counter(self, user: Any) -> int | None:
        last: int | None = user.tf_last_counter
        return last

    def set_last_counter(self, user: Any, tmatch: Any) -> None:
        user.tf_last_counter = tmatch.counter


def _setup_under_way(token: str | None) -> tuple[User, str] | None:
    """Whose authenticator is being set up in this session, and its new secret; none where no set-up is open.
    A change by someone signed in carries its state in ``token``, the set-up at first sign-in has it in the session."""
    if token is None:
        secret = session.get("tf_totp_secret")
        owner = db.session.scalar(select(User).where(User.fs_uniquifier == session.get("tf_user_id")))
        if owner is None or not secret or session.get("tf_state") != "validating_profile":
            return None
        return owner, secret
    expired, invalid, state = check_and_get_token_status(
        token, "tf_setup", current_app.config["SECURITY_TWO_FACTOR_SETUP_WITHIN"]
    )
    return None if expired or invalid else (current_user, state["totp_secret"])


def with_setup_kept(library: Any) -> Any:
    """A wrong code while an authenticator is set up shows the same key and QR code again, with the message once at
    the field. The library starts anew with another key, or asks for the code without showing the key."""

    @wraps(library)
    def validate(token: str | None = None) -> Any:
        from marketplace.parties.sign_in import security

        given = {} if token is None else {"token": token}
        open_setup = _setup_under_way(token) if request.method == "POST" else None
        if open_setup is None:
            return library(**given)
        said: list[Any] = list(session.get("_flashes", []))
        g.pop("refused_code", None)
        response = library(**given)
        form = g.pop("refused_code", None)
        if form is None:
            return response
        session["_flashes"] = said
        user, secret = open_setup
        shown = security.totp_factory.fetch_setup_values(secret, user)
        return render_template(
            "parties/sign_in/setup.html",
            chosen_method="authenticator",
            authr_qrcode=shown["image"],
            authr_key=shown["key"],
            two_factor_verify_code_form=form,
            changing=token is not None,
            state_token=token,
            choices=[],
        )

    return validate


def reset_second_factor(user: User) -> None:
    """Forget authenticator and recovery codes; the next sign-in asks to set up a new one where it is required."""
    user.tf_primary_method = user.tf_totp_secret = user.tf_phone_number = None
    user.tf_last_counter = user.mf_recovery_codes = None
