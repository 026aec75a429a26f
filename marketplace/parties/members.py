"""Members of an organisation, their roles, and invitations by mail. Every act holds the organisation's row, so
two acts at once cannot both remove "the other" administrator."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterable
from datetime import timedelta

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select

from marketplace.core.actor import MEMBER_ROLES, Actor
from marketplace.core.clock import now
from marketplace.core.db import db
from marketplace.core.errors import Forbidden, Invalid, NotFound, Problem, Refused
from marketplace.core.events import record
from marketplace.core.i18n import _l
from marketplace.parties.models import Invitation, Membership, Organisation, User
from marketplace.parties.notices import notify_address
from marketplace.parties.organisations import lock_org, own_org
from marketplace.parties.passwords import password_problem

INVITATION_LIVES = timedelta(days=7)
LAST_ADMIN = _l("这是本机构最后一名管理员。请先让另一名成员成为管理员")


def clean_email(text: str) -> str:
    """The address in its canonical lower case, or Invalid ``email.format``."""
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise Invalid([Problem("email.format", _l("邮箱格式不正确"), "email")]) from None


def clean_roles(roles: Iterable[str]) -> list[str]:
    """Known roles in their order, at least one: ``roles_needed``."""
    asked = set(roles)
    found = [role for role in MEMBER_ROLES if role in asked]
    if not found or asked - set(MEMBER_ROLES):
        raise Invalid([Problem("roles_needed", _l("请至少选择一个角色"), "roles")])
    return found


def user_by_email(email: str) -> User | None:
    return db.session.scalar(select(User).where(func.lower(User.email) == email.strip().lower()))


def new_user(email: str, display_name: str, password: str, language: str, *, confirmed: bool) -> User:
    """An account. Invalid ``name_needed``, ``password.*``; the caller has made sure the address is free."""
    from flask_security.utils import hash_password

    problems = []
    if not display_name.strip():
        problems.append(Problem("name_needed", _l("请填写您的姓名"), "display_name"))
    weak = password_problem(password, email)
    if weak:
        problems.append(weak)
    if problems:
        raise Invalid(problems)
    user = User(
        email=email,
        display_name=" ".join(display_name.split())[:100],
        password=hash_password(password),
        active=True,
        fs_uniquifier=uuid.uuid4().hex,
        confirmed_at=now() if confirmed else None,
        language=language,
    )
    db.session.add(user)
    db.session.flush()
    return user


def members_of(org_id: int) -> list[tuple[Membership, User]]:
    rows = db.session.execute(
        select(Membership, User)
        .join(User, User.id == Membership.user_id)
        .where(Membership.org_id == org_id)
        .order_by(Membership.active.desc(), Membership.id)
    )
    return [(row[0], row[1]) for row in rows]


def open_invitations(org_id: int) -> list[Invitation]:
    return list(
        db.session.scalars(
            select(Invitation)
            .where(
                Invitation.org_id == org_id,
                Invitation.accepted_at.is_(None),
                Invitation.revoked_at.is_(None),
                Invitation.expires_at > func.clock_timestamp(),
            )
            .order_by(Invitation.id)
        )
    )


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def invite(email: str, roles: Iterable[str], actor: Actor) -> tuple[Invitation, str]:
    """Invite a person by mail: seven days, once. Returns the invitation and its secret, which only the mail
    carries. A new invitation to the same address ends the former. ``already_member``."""
    org = own_org(actor)
    if actor.user_id is None:
        raise Forbidden("person_needed", _l("此操作须由本机构的成员提出"))
    address, chosen = clean_email(email), clean_roles(roles)
    known = user_by_email(address)
    if known is not None and db.session.scalar(
        select(Membership.id).where(Membership.user_id == known.id, Membership.org_id == org.id, Membership.active)
    ):
        raise Invalid([Problem("already_member", _l("该邮箱已是本机构成员"), "email")])
    for former in open_invitations(org.id):
        if former.email == address:
            former.revoked_at = now()
    secret = secrets.token_urlsafe(32)
    invitation = Invitation(
        org_id=org.id,
        email=address,
        roles=chosen,
        token_hash=digest(secret),
        invited_by=actor.user_id,
        expires_at=now() + INVITATION_LIVES,
    )
    db.session.add(invitation)
    db.session.flush()
    record("member.invited", "organisation", org.id, actor, invitation_id=invitation.id, roles=chosen)
    notify_address(
        address,
        known.language if known else "zh",
        _l("%(name)s 邀请您加入知流", name=org.name),
        _l("%(name)s 邀请您成为其在知流的成员。链接在七天内有效，只能使用一次。", name=org.name),
        link=f"/join/invitation/{secret}",
    )
    return invitation, secret


def revoke_invitation(invitation_id: int, actor: Actor) -> None:
    """``invitation_unknown`` for another organisation's; revoking twice changes nothing."""
    org = own_org(actor)
    row = db.session.get(Invitation, invitation_id)
    if row is None or row.org_id != org.id:
        raise NotFound("invitation_unknown", _l("没有这份邀请"))
    if row.accepted_at is None and row.revoked_at is None:
        row.revoked_at = now()
        record("member.invitation_revoked", "organisation", org.id, actor, invitation_id=row.id)


def find_invitation(secret: str) -> tuple[Invitation, Organisation]:
    """An invitation that can still be accepted, else ``invitation_void`` (the same for unknown, used, revoked
    and expired: the link alone must tell nothing)."""
    row = db.session.scalar(select(Invitation).where(Invitation.token_hash == digest(secret)))
    if row is None or row.accepted_at or row.revoked_at or row.expires_at <= now():
        raise NotFound("invitation_void", _l("邀请链接无效、已使用或已过期，请联系邀请您的机构重新发送"))
    org = db.session.get_one(Organisation, row.org_id)
    return row, org


def accept_invitation(secret: str, user: User, actor: Actor) -> Membership:
    """The invited person joins. Accepted once: the second of two acceptances at the same moment gets
    ``invitation_void``. The account's address must be the invited one: ``invitation_other_address``."""
    found, _org = find_invitation(secret)
    lock_org(found.org_id)
    db.session.refresh(found)
    row, org = find_invitation(secret)
    if user.email.lower() != row.email:
        raise Refused("invitation_other_address", _l("这份邀请发给了另一个邮箱，请用该邮箱的账号登录后再接受"))
    row.accepted_at = now()
    membership = db.session.scalar(select(Membership).where(Membership.user_id == user.id, Membership.org_id == org.id))
    if membership is None:
        membership = Membership(user_id=user.id, org_id=org.id, roles=list(row.roles), active=True)
        db.session.add(membership)
    else:
        membership.roles, membership.active = list(row.roles), True
    if user.confirmed_at is None:
        user.confirmed_at = now()  # the link came by mail to this very address
    db.session.flush()
    record("member.joined", "organisation", org.id, actor, user_id=user.id, membership_id=membership.id)
    return membership


def _member(membership_id: int, actor: Actor) -> Membership:
    org = own_org(actor)
    row = db.session.scalar(
        select(Membership).where(Membership.id == membership_id).execution_options(populate_existing=True)
    )
    if row is None or row.org_id != org.id:
        raise NotFound("member_unknown", _l("没有这名成员"))
    return row


def _other_admin(row: Membership) -> bool:
    others = (
        select(Membership.id)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.org_id == row.org_id,
            Membership.id != row.id,
            Membership.active,
            User.active,
            Membership.roles.contains(["admin"]),
        )
    )
    return bool(db.session.scalar(select(others.exists())))


def change_roles(membership_id: int, roles: Iterable[str], actor: Actor) -> Membership:
    """Give a member these roles. The last administrator stays one: ``last_admin``."""
    row = _member(membership_id, actor)
    chosen = clean_roles(roles)
    if "admin" not in chosen and "admin" in row.roles and row.active and not _other_admin(row):
        raise Refused("last_admin", LAST_ADMIN)
    row.roles = chosen
    db.session.flush()
    record("member.roles", "organisation", row.org_id, actor, membership_id=row.id, roles=chosen)
    return row


def deactivate(membership_id: int, actor: Actor) -> Membership:
    """The member may no longer act for the organisation. ``last_admin``."""
    row = _member(membership_id, actor)
    if row.active:
        if "admin" in row.roles and not _other_admin(row):
            raise Refused("last_admin", LAST_ADMIN)
        row.active = False
        db.session.flush()
        record("member.deactivated", "organisation", row.org_id, actor, membership_id=row.id)
    return row


def reactivate(membership_id: int, actor: Actor) -> Membership:
    row = _member(membership_id, actor)
    if not row.active:
        row.active = True
        db.session.flush()
        record("member.reactivated", "organisation", row.org_id, actor, membership_id=row.id)
    return row
