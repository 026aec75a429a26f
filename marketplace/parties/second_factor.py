"""Second factor by authenticator app. Members of banks and of the platform must have one."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from flask import current_app
from flask_security.totp import Totp
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


def reset_second_factor(user: User) -> None:
    """Forget authenticator and recovery codes; the next sign-in asks to set up a new one where it is required."""
    user.tf_primary_method = user.tf_totp_secret = user.tf_phone_number = None
    user.tf_last_counter = user.mf_recovery_codes = None
