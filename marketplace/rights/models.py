"""Intellectual property rights, the annual fees paid for them and the burdens on them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import relationship

from marketplace.core.db import Base, Created, Key, Mapped, mapped_column, one_of

ENCUMBRANCES = ("pledge", "preservation", "licence_exclusive", "licence_sole", "licence_ordinary")


class Right(Base):
    """One right as the bank holds it as collateral. ``number`` is canonical, ``number_display`` for people."""

    __tablename__ = "right"
    id: Mapped[Key]
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str]  # code of rights.rules.kinds
    number: Mapped[str]
    number_display: Mapped[str]
    number_warnings: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    publication_no: Mapped[str | None]
    title: Mapped[str]
    title_en: Mapped[str | None]
    abstract: Mapped[str | None]
    abstract_en: Mapped[str | None]
    holder_name: Mapped[str | None]
    holder_uscc: Mapped[str | None]
    co_owners: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    co_owners_consent: Mapped[bool] = mapped_column(server_default=text("false"))
    filing_date: Mapped[date | None]
    grant_date: Mapped[date | None]
    registration_date: Mapped[date | None]
    first_publication: Mapped[date | None]
    completion_date: Mapped[date | None]
    renewed_until: Mapped[date | None]
    term_end: Mapped[date | None]  # last day in force, computed by rights.rules.terms; none: not computable
    term_confirmed: Mapped[bool] = mapped_column(server_default=text("true"))
    ipc: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    nice: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    industry: Mapped[str | None]  # GB/T 4754 code
    region_code: Mapped[str | None]
    fee_reduction: Mapped[int] = mapped_column(server_default=text("0"))  # percent
    fees_paid_through: Mapped[int | None]  # last patent year whose annual fee is paid; none: not known
    invalidation_pending: Mapped[bool] = mapped_column(server_default=text("false"))
    ownership_suspended: Mapped[bool] = mapped_column(server_default=text("false"))
    terminated_on: Mapped[date | None]
    source: Mapped[str] = mapped_column(server_default="page")
    extra: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    demo: Mapped[bool] = mapped_column(server_default=text("false"))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]
    updated_at: Mapped[Created]
    encumbrances: Mapped[list[Encumbrance]] = relationship(back_populates="right", order_by="Encumbrance.id")
    annuity_payments: Mapped[list[AnnuityPayment]] = relationship(order_by="AnnuityPayment.year")
    __table_args__ = (
        UniqueConstraint("org_id", "kind", "number"),
        Index("ix_right_number", "number"),
        CheckConstraint("fee_reduction BETWEEN 0 AND 100", name="fee_reduction"),
    )


class AnnuityPayment(Base):
    __tablename__ = "annuity_payment"
    id: Mapped[Key]
    right_id: Mapped[int] = mapped_column(ForeignKey("right.id"))
    year: Mapped[int]
    paid_on: Mapped[date]
    amount_minor: Mapped[int]
    document_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]
    __table_args__ = (UniqueConstraint("right_id", "year"), CheckConstraint("amount_minor >= 0", name="amount"))


class Encumbrance(Base):
    """A burden: pledge, court preservation, licence. Dates are calendar days, both ends included."""

    __tablename__ = "encumbrance"
    id: Mapped[Key]
    right_id: Mapped[int] = mapped_column(ForeignKey("right.id"), index=True)
    kind: Mapped[str]
    holder: Mapped[str]
    holder_org_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    registration_no: Mapped[str | None]
    court: Mapped[str | None]
    case_no: Mapped[str | None]
    from_date: Mapped[date]
    until_date: Mapped[date | None]
    recorded: Mapped[bool] = mapped_column(server_default=text("false"))
    scope: Mapped[str | None]
    consent: Mapped[bool] = mapped_column(server_default=text("false"))  # the pledgee agrees to the disposal
    consent_document_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    released_on: Mapped[date | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]
    right: Mapped[Right] = relationship(back_populates="encumbrances")
    __table_args__ = (
        one_of("kind", ENCUMBRANCES),
        CheckConstraint("until_date IS NULL OR until_date >= from_date", name="dates"),
    )


class RightChange(Base):
    """What was corrected in a right and by whom, field by field (append-only)."""

    __tablename__ = "right_change"
    id: Mapped[Key]
    right_id: Mapped[int] = mapped_column(ForeignKey("right.id"), index=True)
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    user_id: Mapped[int | None]
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
