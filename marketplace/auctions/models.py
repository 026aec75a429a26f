"""Lots, registrations, the append-only course of a sale, and its one result."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text

from marketplace.core.db import Base, Created, Key, Mapped, mapped_column, one_of

LOT_STATES = ("scheduled", "running", "suspended", "withdrawn", "sold", "unsold")
AFTER_SALE = (
    "awaiting_confirmation",
    "awaiting_balance",
    "paid",
    "title_transfer",
    "completed",
    "defaulted",
    "annulled",
)


class Lot(Base):
    """One round of a listing's sale, with its frozen rule profile. The moving part is LotState."""

    __tablename__ = "lot"
    id: Mapped[Key]
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))  # the seller
    code: Mapped[str] = mapped_column(unique=True)  # listing number and round, as the public sees it
    round_no: Mapped[int] = mapped_column(server_default=text("1"))
    previous_lot_id: Mapped[int | None] = mapped_column(ForeignKey("lot.id"))
    title: Mapped[str]
    format: Mapped[str] = mapped_column(server_default="english_priority")
    profile: Mapped[dict[str, Any]]  # frozen at publication
    sandbox: Mapped[bool] = mapped_column(server_default=text("false"))
    currency: Mapped[str] = mapped_column(server_default="CNY")
    appraisal_minor: Mapped[int | None]
    start_minor: Mapped[int]
    increment_minor: Mapped[int]
    deposit_minor: Mapped[int]
    balance_days: Mapped[int]
    published_at: Mapped[datetime]
    opens_at: Mapped[datetime]
    planned_ends_at: Mapped[datetime]
    genesis_hash: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # what is sold, as published
    claim_minor: Mapped[int | None]  # the creditor's claim, for the creditor's deposit waiver
    created_at: Mapped[Created]
    __table_args__ = (
        UniqueConstraint("listing_id", "round_no"),
        CheckConstraint("start_minor > 0 AND increment_minor > 0 AND deposit_minor >= 0", name="amounts"),
        CheckConstraint("planned_ends_at > opens_at", name="window"),
    )


class LotState(Base):
    """The one row that bid, extend, close, suspend, withdraw and ban lock (law 4). ``ends_at`` never moves
    back while running (trigger); ``version`` rises with every change and orders what the live page shows."""

    __tablename__ = "lot_state"
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    state: Mapped[str] = mapped_column(server_default="scheduled")
    after_sale: Mapped[str | None]
    opens_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    scheduled_ends_at: Mapped[datetime]  # the end before extensions by bids
    price_minor: Mapped[int | None]
    leader_registration_id: Mapped[int | None]
    leader_code: Mapped[str | None]
    leader_rank: Mapped[int | None]
    leader_seq: Mapped[int | None]
    seq: Mapped[int] = mapped_column(server_default=text("0"))
    bids: Mapped[int] = mapped_column(server_default=text("0"))
    extensions: Mapped[int] = mapped_column(server_default=text("0"))
    last_hash: Mapped[str]
    last_at: Mapped[datetime | None]  # of the last entry; a lot's time never runs backwards
    version: Mapped[int] = mapped_column(server_default=text("0"))
    suspended_at: Mapped[datetime | None]
    state_reason: Mapped[str | None]  # published: why suspended or withdrawn
    state_source: Mapped[str | None]  # and the rule it rests on
    __table_args__ = (
        one_of("state", LOT_STATES),
        one_of("after_sale", AFTER_SALE),
        CheckConstraint("(leader_code IS NULL) = (price_minor IS NULL)", name="leader_has_price"),
        {"postgresql_with": {"fillfactor": "50"}},
    )


class Registration(Base):
    """An organisation's wish to bid on a lot. Only ``code`` is ever shown to others during the sale."""

    __tablename__ = "registration"
    id: Mapped[Key]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    code: Mapped[str]
    rank: Mapped[int | None]  # 1 = first priority rank; none = ordinary bidder
    state: Mapped[str] = mapped_column(server_default="applied")
    state_reason: Mapped[str | None]
    agent_name: Mapped[str | None]
    terms_sha256: Mapped[str | None]  # hash of the notice and warnings accepted
    terms_accepted_at: Mapped[datetime | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]
    qualified_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("lot_id", "org_id"),
        UniqueConstraint("lot_id", "code"),
        one_of("state", ("applied", "qualified", "refused", "withdrawn", "barred")),
    )


class PreemptionClaim(Base):
    """A priority purchaser's claim (优先购买权), confirmed before the sale: 网拍规定 art. 19."""

    __tablename__ = "preemption_claim"
    id: Mapped[Key]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    basis: Mapped[str]
    rank: Mapped[int]
    evidence: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(server_default="filed")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]
    __table_args__ = (
        UniqueConstraint("lot_id", "org_id"),
        one_of("state", ("filed", "confirmed", "refused")),
        CheckConstraint("rank >= 1", name="rank"),
    )


class Qualification(Base):
    """Proof that an organisation may take the right over, where the listing asks for a status (collective and
    certification marks, geographical indications). Decided before the deposit is asked."""

    __tablename__ = "bidder_qualification"
    id: Mapped[Key]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    statement: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="filed")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]
    __table_args__ = (
        UniqueConstraint("lot_id", "org_id"),
        one_of("state", ("filed", "confirmed", "refused")),
        CheckConstraint("state = 'filed' OR reason IS NOT NULL", name="decided_with_reason"),
    )


class CourseEntry(Base):
    """Append-only hash chain of the sale: bids and published events (trigger refuses change)."""

    __tablename__ = "course_entry"
    id: Mapped[Key]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    seq: Mapped[int]
    kind: Mapped[str]  # bid; suspended, resumed, prolonged, barred, withdrawn, closed
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registration.id"))
    code: Mapped[str | None]
    rank: Mapped[int | None]
    amount_minor: Mapped[int | None]
    received_at: Mapped[datetime]
    decided_at: Mapped[datetime]
    ends_at: Mapped[datetime]  # the end after this entry
    # the members of the entry that have no column: bid_kind, confirmed_high, extended; reason; the result
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    prev_hash: Mapped[str]
    hash: Mapped[str]
    receipt: Mapped[str | None]  # the platform's signature over the receipt: "key id:hex"
    idempotency_key: Mapped[str | None]
    user_id: Mapped[int | None]
    __table_args__ = (
        UniqueConstraint("lot_id", "seq"),
        Index(
            "uq_course_entry_key",
            "registration_id",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
    )


class BidRefusal(Base):
    """Every refused bid with its reason (append-only)."""

    __tablename__ = "bid_refusal"
    id: Mapped[Key]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), index=True)
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registration.id"))
    org_id: Mapped[int | None]
    user_id: Mapped[int | None]
    amount_minor: Mapped[int]
    kind: Mapped[str]
    code: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    received_at: Mapped[datetime]
    decided_at: Mapped[datetime]
    idempotency_key: Mapped[str | None]
    __table_args__ = (
        Index(
            "uq_bid_refusal_key",
            "registration_id",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
    )


class LotResult(Base):
    """Exactly one result a round."""

    __tablename__ = "lot_result"
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"), primary_key=True)
    outcome: Mapped[str]
    closed_at: Mapped[datetime]
    final_ends_at: Mapped[datetime]
    price_minor: Mapped[int | None]
    winner_registration_id: Mapped[int | None] = mapped_column(ForeignKey("registration.id"))
    backup_registration_id: Mapped[int | None] = mapped_column(ForeignKey("registration.id"))
    backup_price_minor: Mapped[int | None]
    bids: Mapped[int]
    head_hash: Mapped[str]
    signature: Mapped[str]
    protocol_pdf_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    protocol_json_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    confirmation_pdf_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))
    published_at: Mapped[datetime | None]
    __table_args__ = (
        one_of("outcome", ("sold", "unsold")),
        CheckConstraint("(outcome = 'sold') = (winner_registration_id IS NOT NULL)", name="winner"),
        CheckConstraint("winner_registration_id <> backup_registration_id", name="backup_is_another"),
    )


class Award(Base):
    """Who is to buy, and where that stands: the winner, later perhaps the backup. The result itself stays."""

    __tablename__ = "award"
    id: Mapped[Key]
    lot_id: Mapped[int] = mapped_column(ForeignKey("lot.id"))
    position: Mapped[int]  # 1 the winner, 2 the backup
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    price_minor: Mapped[int]
    state: Mapped[str]
    answer_due_at: Mapped[datetime | None]
    balance_due_at: Mapped[datetime | None]
    created_at: Mapped[Created]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    __table_args__ = (
        one_of("state", ("offered", "awaiting_balance", "paid", "declined", "defaulted")),
        UniqueConstraint("lot_id", "position"),
        CheckConstraint("position IN (1, 2)", name="position"),
        Index(
            "uq_award_live",
            "lot_id",
            unique=True,
            postgresql_where=text("state IN ('offered', 'awaiting_balance', 'paid')"),
        ),
    )
