"""Deny by default (law 8): each view names who may call it; a view without a policy answers 403 to everyone.

    @bp.get("/cases")
    @access(org("bank"))
    def case_list(): ...

Policies look only at the actor. What an actor may do to one thing is decided by the service, which answers
404 for things the actor may not know of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, g

from marketplace.core.actor import PLATFORM, PUBLIC, Actor
from marketplace.core.direct import this_request
from marketplace.core.errors import Forbidden
from marketplace.core.i18n import _l

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Policy:
    """``name`` is shown in the route list; ``allows`` looks at the actor only."""

    name: str
    allows: Callable[[Actor], bool]


public = Policy("public", lambda actor: True)
signed_in = Policy("signed_in", lambda actor: actor.user_id is not None)
manager = Policy("manager", lambda actor: actor.is_manager)
member = Policy("member", lambda actor: actor.org_id is not None)


def org(*kinds: str, role: str | None = None, verified: bool = False) -> Policy:
    """Members of these kinds of organisation; with ``role``, only members who have it."""
    name = "org:" + "|".join(kinds) + (f":{role}" if role else "") + (":verified" if verified else "")
    return Policy(
        name,
        lambda actor: (
            actor.org_kind in kinds and (role is None or actor.may(role)) and (actor.org_verified or not verified)
        ),
    )


def token(scope: str) -> Policy:
    """API tokens with this scope."""
    return Policy(f"token:{scope}", lambda actor: scope in actor.scopes)


def platform(role: str | None = None) -> Policy:
    return org(PLATFORM, role=role)


def access(policy: Policy) -> Callable[[View], View]:
    """Attach the policy to a view."""

    def attach(view: View) -> View:
        view.access_policy = policy  # type: ignore[attr-defined]
        return view

    return attach


def current_actor() -> Actor:
    """The actor of this request; the public when nobody is signed in."""
    return g.get("actor", PUBLIC)


def policy_of(app: Flask, endpoint: str) -> Policy | None:
    view = app.view_functions[endpoint]
    found = getattr(view, "access_policy", None)
    if found is None and hasattr(view, "view_class"):
        found = getattr(view.view_class, "access_policy", None)
    return found or app.extensions["access_policies"].get(endpoint)


def name_policy(app: Flask, endpoint: str, policy: Policy) -> None:
    """For views that a library brings."""
    app.extensions["access_policies"][endpoint] = policy


class SignInNeeded(Exception):
    """Nobody is signed in and the page needs someone; the edge sends them to sign in and back."""


def configure_access(app: Flask) -> None:
    app.extensions["access_policies"] = {}
    app.extensions["access_policies"]["static"] = public

    @app.before_request
    def enforce() -> None:
        asked = this_request()
        if asked.endpoint is None or asked.routing_exception is not None:
            return
        policy = policy_of(app, asked.endpoint)
        actor = current_actor()
        if policy is not None and policy.allows(actor):
            return
        if policy is not None and actor.user_id is None and actor.token_id is None:
            raise SignInNeeded
        raise Forbidden("not_allowed", _l("您没有权限访问此页面"), policy=policy.name if policy else "none")
