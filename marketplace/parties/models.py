"""Organisations, their members and tokens, and who is barred from what."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask_security.core import RoleMixin, UserMixin
from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import relationship

from marketplace.core.actor import ORG_KINDS
from marketplace.core.db import Base, Created, Key, Mapped, mapped_column, one_of

ORG_STATES = ("draft", "submitted", "verified", "rejected", "suspended")


class Organisation(Base):
    __tablename__ = "organisation"
    id: Mapped[Key]
    kind: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str | None]
    uscc: Mapped[str | None] = mapped_column(unique=True)  # GB 32100-2015, canonical upper case
    region_code: Mapped[str | None]
    address: Mapped[str | None]
    legal_representative: Mapped[str | None]
    contact_name: Mapped[str | None]
    contact_phone: Mapped[str | None]
    contact_email: Mapped[str | None]
    account_name: Mapped[str | None]  # where refunds and proceeds go
    account_no: Mapped[str | None]
    account_bank: Mapped[str | None]
    state_owned: Mapped[bool] = mapped_column(server_default=text("false"))
    state: Mapped[str] = mapped_column(server_default="draft")
    state_reason: Mapped[str | None]
    submitted_at: Mapped[datetime | None]
    verified_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    verified_at: Mapped[datetime | None]
    demo: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[Created]
    __table_args__ = (one_of("kind", ORG_KINDS), one_of("state", ORG_STATES))


class Affiliation(Base):
    """Two organisations under common control; an affiliate of the seller may not bid. Read both ways."""

    __tablename__ = "affiliation"
    id: Mapped[Key]
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    affiliate_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    basis: Mapped[str]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]
    __table_args__ = (
        UniqueConstraint("org_id", "affiliate_id"),
        CheckConstraint("org_id <> affiliate_id", name="two_organisations"),
    )


class Role(Base, RoleMixin):
    """Needed by the sign-in library; this product's roles are memberships."""

    __tablename__ = "role"
    id: Mapped[Key]
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str | None]
    permissions: Mapped[list[str] | None]


class User(Base, UserMixin):
    __tablename__ = "user"
    id: Mapped[Key]
    email: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str] = mapped_column(server_default="")
    password: Mapped[str | None]
    active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    fs_uniquifier: Mapped[str] = mapped_column(unique=True)
    confirmed_at: Mapped[datetime | None]
    language: Mapped[str] = mapped_column(server_default="zh")
    tf_primary_method: Mapped[str | None]
    tf_totp_secret: Mapped[str | None]
    tf_phone_number: Mapped[str | None]
    tf_last_counter: Mapped[int | None]  # the last time step whose code was used; no code works twice
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(MutableList.as_mutable(ARRAY(Text())))
    failed_sign_ins: Mapped[int] = mapped_column(server_default=text("0"))
    locked_until: Mapped[datetime | None]
    last_sign_in_at: Mapped[datetime | None]
    demo: Mapped[bool] = mapped_column(server_default=text("false"))
    create_datetime: Mapped[Created]
    update_datetime: Mapped[Created]
    roles = relationship("Role", secondary="user_role")
    memberships: Mapped[list[Membership]] = relationship(back_populates="user", foreign_keys="Membership.user_id")

    def check_tf_required(
        self, tf_setup_methods: list[tuple[str, str]], tf_fresh: bool
    ) -> tuple[bool, list[tuple[str, str]]]:
        """Whoever has an authenticator is asked for it; members of banks and the platform must have one."""
        return bool(tf_setup_methods) or self.check_tf_required_setup(), tf_setup_methods

    def check_tf_required_setup(self) -> bool:
        from marketplace.parties.second_factor import needs_second_factor

        return needs_second_factor(self)

    def track_failed_authn(self, auth_type: str, tfa: bool = False) -> None:
        from marketplace.parties.locking import note_failure

        note_failure(self.id)


class UserRole(Base):
    __tablename__ = "user_role"
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("role.id"), primary_key=True)


class Membership(Base):
    __tablename__ = "membership"
    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    roles: Mapped[list[str]]  # of actor.MEMBER_ROLES
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[Created]
    user: Mapped[User] = relationship(back_populates="memberships", foreign_keys=[user_id])
    organisation: Mapped[Organisation] = relationship(foreign_keys=[org_id])
    __table_args__ = (UniqueConstraint("user_id", "org_id"),)


class Invitation(Base):
    __tablename__ = "invitation"
    id: Mapped[Key]
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    email: Mapped[str]
    roles: Mapped[list[str]]
    token_hash: Mapped[str] = mapped_column(unique=True)
    invited_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiToken(Base):
    """``token_hash`` is SHA-256 of the secret; the secret is shown once and never stored."""

    __tablename__ = "api_token"
    id: Mapped[Key]
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    name: Mapped[str]
    prefix: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]]
    created_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]
    expires_at: Mapped[datetime | None]
    last_used_on: Mapped[date | None]
    revoked_at: Mapped[datetime | None]


class Bar(Base):
    """An organisation that may not take part: in one listing's later rounds (a defaulted buyer,
    网拍规定 art. 24) or anywhere (by a manager's decision)."""

    __tablename__ = "bar"
    id: Mapped[Key]
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    listing_id: Mapped[int | None]  # none: barred everywhere
    reason: Mapped[str]
    source: Mapped[str | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]
    lifted_at: Mapped[datetime | None]
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    __table_args__ = (
        # one open bar of each reach; the second request for the same bar finds the first
        Index(
            "uq_bar_open",
            "org_id",
            "listing_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )
