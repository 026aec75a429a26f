"""Notices by mail. Queued in the transaction of their cause, sent after it committed, one row a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import force_locale
from sqlalchemy import select

from marketplace.core import outbox
from marketplace.core.actor import PLATFORM
from marketplace.core.db import db
from marketplace.core.i18n import _
from marketplace.parties.mail import absolute
from marketplace.parties.models import Membership, Organisation, User

TOPIC = "mail"


@dataclass(frozen=True)
class Reader:
    """Someone who may get mail; ``org_id`` where they read it as a member."""

    user_id: int
    org_id: int | None
    email: str
    language: str


def readers(user_ids: Iterable[int] = (), org_ids: Iterable[int] = ()) -> list[Reader]:
    """These people themselves, then every active member of these organisations; only confirmed addresses."""
    reachable = (User.active, User.confirmed_at.is_not(None))
    people = db.session.execute(
        select(User.id, User.email, User.language).where(User.id.in_(list(user_ids)), *reachable).order_by(User.id)
    )
    members = db.session.execute(
        select(User.id, Membership.org_id, User.email, User.language)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.org_id.in_(list(org_ids)), Membership.active, *reachable)
        .order_by(User.id, Membership.org_id)
    )
    return [Reader(row[0], None, row[1], row[2]) for row in people] + [Reader(*row) for row in members]


def notify_address(
    email: str, language: str, subject: Any, body: Any, *, link: str = "", dedupe_key: str | None = None
) -> None:
    """Queue one mail. ``subject`` and ``body`` may be lazy; they are worked out in ``language``."""
    with force_locale(language):
        text = str(body)
        if link:
            text += "\n\n" + _("查看详情：%(link)s", link=absolute(link))
        text += "\n\n" + _("知流 — 此邮件由系统发出，请勿直接回复。") + "\n"
        payload = {"to": email, "subject": str(subject), "body": text, "lang": language}
    outbox.post(TOPIC, payload, dedupe_key=dedupe_key)


def notify_org(
    org_id: int,
    subject: Any,
    body: Any,
    link: str = "",
    roles: Iterable[str] | None = None,
    dedupe_key: str | None = None,
) -> None:
    """Mail every active member of the organisation (only those with one of ``roles``), each in their language.

    ``link`` is a path of this site. With ``dedupe_key`` each person gets this notice once for ever.
    """
    query = (
        select(User.id, User.email, User.language)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.org_id == org_id, Membership.active, User.active, User.confirmed_at.is_not(None))
        .order_by(User.id)
    )
    if roles is not None:
        query = query.where(Membership.roles.overlap(list(roles)))
    for user_id, email, language in db.session.execute(query).all():
        key = f"{dedupe_key}:{user_id}" if dedupe_key else None
        notify_address(email, language, subject, body, link=link, dedupe_key=key)


def notify_managers(
    subject: Any,
    body: Any,
    link: str = "",
    roles: Iterable[str] | None = ("admin", "maker", "approver"),
    dedupe_key: str | None = None,
) -> None:
    """Mail the platform's managers."""
    for org_id in db.session.scalars(select(Organisation.id).where(Organisation.kind == PLATFORM)).all():
        notify_org(org_id, subject, body, link, roles, dedupe_key)
