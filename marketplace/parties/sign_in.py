"""Sign-in: who looks at this page. Makes one Actor per request before access is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g, session
from flask_login import current_user
from flask_security.core import Security
from flask_security.datastore import SQLAlchemyUserDatastore
from sqlalchemy import select

from marketplace.core.access import name_policy, public
from marketplace.core.actor import PUBLIC, Actor
from marketplace.core.db import db
from marketplace.parties.models import Membership, Organisation, Role, User

if TYPE_CHECKING:
    from marketplace import Zhiliu

security = Security()


def actor_of(user: User, membership_id: int | None) -> Actor:
    """The user acting for one of their organisations (the chosen one, else the first)."""
    query = (
        select(Membership, Organisation)
        .join(Organisation, Organisation.id == Membership.org_id)
        .where(Membership.user_id == user.id, Membership.active)
        .order_by(Membership.id)
    )
    rows = db.session.execute(query).all()
    if not rows:
        return Actor(user_id=user.id)
    membership, org = next((row for row in rows if row[0].id == membership_id), rows[0])
    return Actor(
        user_id=user.id,
        org_id=org.id,
        org_kind=org.kind,
        org_verified=org.state == "verified",
        roles=frozenset(membership.roles),
    )


def configure_sign_in(app: Zhiliu) -> None:
    app.config.update(
        SECURITY_PASSWORD_SALT=app.settings.password_salt,
        SECURITY_PASSWORD_HASH="argon2",
        SECURITY_USER_IDENTITY_ATTRIBUTES=[
            {"email": {"mapper": lambda x: x.strip().lower(), "case_insensitive": True}}
        ],
        SECURITY_URL_PREFIX="/account",
    )
    security.init_app(app, SQLAlchemyUserDatastore(db, User, Role))

    @app.before_request
    def identify() -> None:
        g.actor = PUBLIC
        if current_user and current_user.is_authenticated:
            g.actor = actor_of(current_user, session.get("membership"))

    @app.before_request
    def library_pages_are_open() -> None:
        policies = app.extensions["access_policies"]
        if "security.login" not in policies:
            for endpoint in app.view_functions:
                if endpoint.startswith("security."):
                    name_policy(app, endpoint, public)
