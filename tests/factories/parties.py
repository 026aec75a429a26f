"""Organisations, users and signed-in clients."""

from __future__ import annotations

import itertools
import uuid

from flask.testing import FlaskClient
from stdnum.cn import uscc

from marketplace import Zhiliu
from marketplace.core.actor import Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.parties.models import Membership, Organisation, User
from marketplace.parties.sign_in import actor_of

_numbers = itertools.count(1)


def make_uscc() -> str:
    """A fresh unified social credit code with a right check character."""
    body = f"91420100MA4K{next(_numbers):04d}X"[:17]
    return body + uscc.calc_check_digit(body)


def make_org(
    kind: str = "operator", *, name: str | None = None, state: str = "verified", **fields: object
) -> Organisation:
    n = next(_numbers)
    org = Organisation(
        kind=kind,
        name=name or f"测试机构{n}",
        uscc=make_uscc(),
        state=state,
        account_name=name or f"测试机构{n}",
        account_no=f"6222{n:012d}",
        account_bank="测试银行",
        **fields,
    )
    db.session.add(org)
    db.session.commit()
    return org


def make_user(
    org: Organisation | None = None,
    roles: tuple[str, ...] = ("admin", "maker", "approver"),
    *,
    email: str | None = None,
    **fields: object,
) -> User:
    n = next(_numbers)
    user = User(
        email=email or f"person{n}@example.cn",
        display_name=f"人员{n}",
        password=None,
        active=True,
        fs_uniquifier=uuid.uuid4().hex,
        confirmed_at=now(),
        **fields,
    )
    db.session.add(user)
    db.session.flush()
    if org is not None:
        db.session.add(Membership(user_id=user.id, org_id=org.id, roles=list(roles), active=True))
    db.session.commit()
    return user


def make_actor(
    kind: str = "operator",
    roles: tuple[str, ...] = ("admin", "maker", "approver"),
    org: Organisation | None = None,
) -> Actor:
    """A member of a fresh (or the given) organisation."""
    return actor_of(make_user(org or make_org(kind), roles), None)


def client_for(app: Zhiliu, user: User, lang: str = "zh") -> FlaskClient:
    """A browser in which this user has signed in (and passed the second factor)."""
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = user.fs_uniquifier
        session["_fresh"] = True
        session["lang"] = lang
        session["zl_second_factor"] = True
    return client
