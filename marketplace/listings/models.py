"""What is offered to the public: description, notice, questions, objections, publication."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import relationship

from marketplace.core.db import Base, Created, Key, Mapped, mapped_column, one_of
from marketplace.rights.models import Right

LISTING_STATES = ("draft", "submitted", "reviewed", "published", "suspended", "withdrawn", "closed")


class Listing(Base):
    """One case (or part of it) offered through a channel. Its sale rounds are lots of the auctions room."""

    __tablename__ = "listing"
    id: Mapped[Key]
    number: Mapped[str | None] = mapped_column(unique=True)  # ZL-2026-000123, given at publication
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))  # the seller
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), index=True)
    channel: Mapped[str] = mapped_column(server_default="auction")
    title: Mapped[str]
    title_en: Mapped[str | None]
    summary: Mapped[str] = mapped_column(server_default="")
    known_defects: Mapped[str] = mapped_column(server_default="")
    taxes_and_fees: Mapped[str] = mapped_column(server_default="")
    inspection: Mapped[str] = mapped_column(server_default="")
    handover: Mapped[str] = mapped_column(server_default="")
    contact: Mapped[str] = mapped_column(server_default="")
    bidder_conditions: Mapped[str] = mapped_column(server_default="")
    qualification: Mapped[str] = mapped_column(server_default="")  # status a transferee must prove before the deposit
    priority_holders: Mapped[str] = mapped_column(server_default="")  # who has a priority right, and of what nature
    parties_notified_at: Mapped[datetime | None]  # 网拍规定 art. 16
    notification_note: Mapped[str] = mapped_column(server_default="")  # how they were told
    licence_no: Mapped[str | None]  # 拍卖法 art. 11, 14: where the sale is called 拍卖
    auctioneer: Mapped[str | None]
    notice_text: Mapped[str | None]  # frozen at publication, with the special warnings
    notice_sha256: Mapped[str | None]
    warnings: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # special warnings ticked
    shown_documents: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # id → public | bidders
    profile_code: Mapped[str]
    profile_version: Mapped[int]
    # the first round's terms, frozen into its lot at publication
    valuation_basis: Mapped[str | None]
    appraisal_minor: Mapped[int | None]
    appraisal_date: Mapped[date | None]
    start_minor: Mapped[int | None]
    increment_minor: Mapped[int | None]
    deposit_minor: Mapped[int | None]
    balance_days: Mapped[int | None]
    planned_opens_at: Mapped[datetime | None]
    planned_ends_at: Mapped[datetime | None]
    currency: Mapped[str] = mapped_column(server_default="CNY")
    region_code: Mapped[str | None]
    industry: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default="draft")
    state_reason: Mapped[str | None]
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))  # the second banker
    submitted_at: Mapped[datetime | None]
    review: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # the reviewer's checklist
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    reviewed_at: Mapped[datetime | None]
    published_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    published_at: Mapped[datetime | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    demo: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[Created]
    updated_at: Mapped[Created]
    items: Mapped[list[ListingRight]] = relationship(order_by="ListingRight.position")
    __table_args__ = (
        one_of("state", LISTING_STATES),
        one_of("channel", ("auction", "storage", "licence")),
        Index("ix_listing_state", "state", "published_at"),
        Index("ix_listing_org", "org_id", "id"),
        CheckConstraint("published_by IS NULL OR published_by <> reviewed_by", name="second_person"),
        CheckConstraint(
            "published_at IS NULL OR (number IS NOT NULL AND notice_sha256 IS NOT NULL)",
            name="published_whole",
        ),
    )


ROUNDS_ON_THEIR_WAY = ("draft", "submitted", "reviewed")
ROUND_STATES = (*ROUNDS_ON_THEIR_WAY, "published", "dropped")


class NextRound(Base):
    """A further round of an offer: the bank's terms on their way to a notice of their own. The round itself is a lot of
    the auctions room. One is on its way at a time; a published one is fixed (trigger)."""

    __tablename__ = "listing_round"
    id: Mapped[Key]
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    round_no: Mapped[int]
    after_lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))  # the round that failed
    start_minor: Mapped[int]
    increment_minor: Mapped[int]
    deposit_minor: Mapped[int]
    opens_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    parties_notified_at: Mapped[datetime | None]  # of this round: 网拍规定 art. 16
    notification_note: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(server_default="draft")
    state_reason: Mapped[str | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))  # the second banker
    submitted_at: Mapped[datetime | None]
    review: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    reviewed_at: Mapped[datetime | None]
    published_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    published_at: Mapped[datetime | None]
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    notice_text: Mapped[str | None]  # frozen at publication
    notice_sha256: Mapped[str | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]
    __table_args__ = (
        one_of("state", ROUND_STATES),
        CheckConstraint("start_minor > 0 AND increment_minor > 0 AND deposit_minor >= 0", name="amounts"),
        CheckConstraint("ends_at > opens_at", name="window"),
        CheckConstraint("published_by IS NULL OR published_by <> reviewed_by", name="second_person"),
        CheckConstraint(
            "(state = 'published') = (published_at IS NOT NULL) AND "
            "(published_at IS NULL OR (lot_id IS NOT NULL AND notice_sha256 IS NOT NULL AND notice_text IS NOT NULL))",
            name="published_whole",
        ),
        Index(
            "uq_listing_round_open",
            "listing_id",
            unique=True,
            postgresql_where=text("state IN ('draft', 'submitted', 'reviewed')"),
        ),
        Index(
            "uq_listing_round_published",
            "listing_id",
            "round_no",
            unique=True,
            postgresql_where=text("state = 'published'"),
        ),
    )


class ListingCounter(Base):
    """The last number of a year. Locked by each publication, so that numbers have no gap."""

    __tablename__ = "listing_counter"
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class Correction(Base):
    """更正公告: a dated public addition to a published notice; it never changes the terms (append-only)."""

    __tablename__ = "listing_correction"
    id: Mapped[Key]
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    text: Mapped[str]
    made_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[Created]


class ListingRight(Base):
    __tablename__ = "listing_right"
    id: Mapped[Key]
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    right_id: Mapped[int] = mapped_column(ForeignKey("right.id"), index=True)
    position: Mapped[int] = mapped_column(server_default=text("0"))
    snapshot: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # facts as published
    right: Mapped[Right] = relationship()
    __table_args__ = (UniqueConstraint("listing_id", "right_id"),)


class Question(Base):
    __tablename__ = "question"
    id: Mapped[Key]
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    org_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    asked_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    text: Mapped[str]
    asked_at: Mapped[Created]
    answer: Mapped[str | None]
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    answered_at: Mapped[datetime | None]
    hidden_reason: Mapped[str | None]
    hidden_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))


class Objection(Base):
    """Filed by anyone with an interest; a manager decides. Upheld: the listing is suspended or withdrawn."""

    __tablename__ = "objection"
    id: Mapped[Key]
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    org_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    filed_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    capacity: Mapped[str]  # bidder, co_owner, creditor, debtor, third_party
    ground: Mapped[str]
    text: Mapped[str]
    filed_at: Mapped[Created]
    state: Mapped[str] = mapped_column(server_default="filed")
    decision: Mapped[str | None]
    measure: Mapped[str | None]  # suspend or withdraw, when upheld
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    __table_args__ = (one_of("state", ("filed", "under_review", "rejected", "upheld")),)
