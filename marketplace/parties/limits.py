"""How often one address may try: against many guesses spread over many accounts. Accounts have locks of
their own (``locking``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, request

if TYPE_CHECKING:
    from flask_limiter import Limiter

#: Posts from one address. An office behind one address still gets in.
SIGN_IN_LIMITS = {
    "security.login": "30 per minute; 300 per hour",
    "security.verify": "30 per minute",
    "security.two_factor_token_validation": "30 per minute; 300 per hour",
    "security.two_factor_setup": "30 per minute",
    "security.mf_recovery": "10 per minute; 60 per hour",
    "security.forgot_password": "10 per minute; 60 per hour",
    "security.reset_password": "20 per minute",
    "security.send_confirmation": "10 per minute; 60 per hour",
    "security.change_password": "20 per minute",
}
PAGE_LIMITS = {
    "parties.register": "10 per minute; 60 per hour",
    "parties.accept_invitation": "20 per minute",
    "parties.invite": "30 per minute; 200 per day",
}


def address() -> str:
    return f"addr:{request.remote_addr}"


def limiter_of(app: Flask) -> Limiter | None:
    """The application's limiter; none when limits are switched off."""
    return next(iter(app.extensions.get("limiter", ())), None)


def attach(app: Flask, limits: dict[str, str]) -> None:
    limiter = limiter_of(app)
    if limiter is None:
        return
    for endpoint, rule in limits.items():
        view: Any = app.view_functions[endpoint]
        app.view_functions[endpoint] = limiter.limit(rule, key_func=address, methods=["POST"])(view)


def limit_sign_in(app: Flask) -> None:
    attach(app, SIGN_IN_LIMITS)


def limit_pages(app: Flask) -> None:
    attach(app, PAGE_LIMITS)
