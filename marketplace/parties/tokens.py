"""API tokens of an organisation. The secret is shown once; the database keeps its SHA-256 only. A secret has
256 random bits, so a plain hash is enough and the look-up by hash tells nothing by its time."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import Date, bindparam, cast, func, select, update

from marketplace.core.actor import Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, NotFound, Problem
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.parties.models import ApiToken, Organisation
from marketplace.parties.organisations import own_org
from marketplace.parties.scopes import SCOPES

MARK = "zl_"
LIFETIMES = (30, 90, 365)  # days
REMEMBERED_SECONDS = 5.0
_remembered: dict[bytes, tuple[float, Actor]] = {}  # by hash: until when (monotonic), who
_TODAY = cast(func.timezone("Asia/Shanghai", func.clock_timestamp()), Date)
_tokens, _orgs = ApiToken.__table__, Organisation.__table__
# made once and of plain columns: this runs before every request of the API, bids among them
_BY_HASH = (
    select(
        _tokens.c.id,
        _tokens.c.scopes,
        _tokens.c.org_id,
        _tokens.c.last_used_on.is_distinct_from(_TODAY).label("first_today"),
        _orgs.c.kind,
        _orgs.c.state,
    )
    .join_from(_tokens, _orgs, _orgs.c.id == _tokens.c.org_id)
    .where(
        _tokens.c.token_hash == bindparam("hash"),
        _tokens.c.revoked_at.is_(None),
        _tokens.c.expires_at.is_(None) | (_tokens.c.expires_at > func.clock_timestamp()),
    )
)


def lifetime(text: str) -> int | None:
    """The chosen number of days; nothing chosen means no end; anything else a number that is refused."""
    if not text:
        return None
    return next((days for days in LIFETIMES if str(days) == text), -1)


def create_token(name: str, scopes: Iterable[str], days: int | None, actor: Actor) -> tuple[ApiToken, str]:
    """A token and its secret. ``days`` of LIFETIMES, or None for no end. Invalid ``name_needed``,
    ``scopes_needed``, ``lifetime``."""
    org = own_org(actor)
    if actor.user_id is None:
        raise Forbidden("person_needed", _l("此操作须由本机构的成员提出"))
    asked = set(scopes)
    chosen = [scope for scope in SCOPES if scope in asked]
    problems = []
    if not name.strip():
        problems.append(Problem("name_needed", _l("请填写名称，以便日后辨认"), "name"))
    if not chosen or asked - set(SCOPES):
        problems.append(Problem("scopes_needed", _l("请至少选择一项权限"), "scopes"))
    if days is not None and days not in LIFETIMES:
        problems.append(Problem("lifetime", _l("请选择有效期"), "days"))
    if problems:
        raise Invalid(problems)
    secret = MARK + secrets.token_urlsafe(32)
    token = ApiToken(
        org_id=org.id,
        name=name.strip()[:100],
        prefix=secret[: len(MARK) + 6],
        token_hash=hashlib.sha256(secret.encode()).digest(),
        scopes=chosen,
        created_by=actor.user_id,
        expires_at=now() + timedelta(days=days) if days is not None else None,
    )
    db.session.add(token)
    db.session.flush()
    record("token.created", "organisation", org.id, actor, token_id=token.id, scopes=chosen)
    return token, secret


def tokens_of(org_id: int) -> list[ApiToken]:
    """The organisation's tokens, the newest first, ended ones too."""
    return list(db.session.scalars(select(ApiToken).where(ApiToken.org_id == org_id).order_by(ApiToken.id.desc())))


def revoke_token(token_id: int, actor: Actor) -> ApiToken:
    """End a token at once. ``token_unknown`` for another organisation's; ending it twice changes nothing."""
    org = own_org(actor)
    token = db.session.get(ApiToken, token_id)
    if token is None or token.org_id != org.id:
        raise NotFound("token_unknown", _l("没有这个令牌"))
    if token.revoked_at is None:
        token.revoked_at = now()
        record("token.revoked", "organisation", org.id, actor, token_id=token.id)
    return token


def actor_of_token(secret: str) -> Actor | None:
    """Who a secret stands for: the organisation, as a maker, bounded by the token's scopes; no person. None when
    unknown, revoked or expired. One query; once a day a second one notes the use."""
    if not secret.startswith(MARK) or len(secret) > 100:
        return None
    token_hash = hashlib.sha256(secret.encode()).digest()
    row = db.session.execute(_BY_HASH, {"hash": token_hash}).one_or_none()
    if row is None:
        return None
    if row.first_today:
        free = select(ApiToken.id).where(ApiToken.id == row.id).with_for_update(skip_locked=True).scalar_subquery()
        db.session.execute(
            update(ApiToken).where(ApiToken.id == free).values(last_used_on=_TODAY),
            execution_options={"synchronize_session": False},
        )
    actor = Actor(
        org_id=row.org_id,
        org_kind=row.kind,
        org_verified=row.state == "verified",
        roles=frozenset({"maker"}),
        scopes=frozenset(row.scopes),
        via="api",
        token_id=row.id,
    )
    if len(_remembered) > 10_000:
        _remembered.clear()
    _remembered[token_hash] = time.monotonic() + REMEMBERED_SECONDS, actor
    return actor


def remembered_actor(secret: str) -> Actor | None:
    """Who this secret stood for at most ``REMEMBERED_SECONDS`` ago, without a query. Only for what proves the token
    again before it acts, as a bid does under the lot's lock; else a revoked token would live on."""
    until, actor = _remembered.get(hashlib.sha256(secret.encode()).digest(), (0.0, None))
    return actor if time.monotonic() < until else None
