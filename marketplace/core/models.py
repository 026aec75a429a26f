"""Tables every room uses: events, deadlines, outbox, approvals, documents, heartbeats."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, func, text

from marketplace.core.db import Base, Created, Key, Mapped, mapped_column, one_of


class Event(Base):
    """Append-only journal: what happened to which subject, who did it. Never updated, never deleted (trigger)."""

    __tablename__ = "event"
    id: Mapped[Key]
    at: Mapped[Created]
    kind: Mapped[str]
    subject: Mapped[str]  # "lot", "listing", "case", …
    subject_id: Mapped[int]
    user_id: Mapped[int | None]
    org_id: Mapped[int | None]
    via: Mapped[str] = mapped_column(server_default="page")
    public: Mapped[bool] = mapped_column(server_default=text("false"))
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    __table_args__ = (
        Index("ix_event_subject", "subject", "subject_id", "id"),
        Index("ix_event_org", "org_id", "id"),  # what an organisation did lately
    )


class Deadline(Base):
    """Law 3: everything that falls due is a row. ``due_at`` is UTC; the tick claims it, a handler acts on it."""

    __tablename__ = "deadline"
    id: Mapped[Key]
    kind: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[int]
    org_id: Mapped[int | None]  # whose next step this is, for "what waits for you"
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    claimed_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    created_at: Mapped[Created]
    __table_args__ = (
        one_of("state", ("pending", "done", "cancelled")),
        Index(
            "uq_deadline_open",
            "kind",
            "subject",
            "subject_id",
            unique=True,
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_deadline_due", "due_at", postgresql_where=text("state = 'pending'")),
        # what falls due for an organisation
        Index("ix_deadline_org", "org_id", "due_at", postgresql_where=text("state = 'pending'")),
    )


class Outbox(Base):
    """Law 7: what the outside world must learn, written with the change itself and sent after commit."""

    __tablename__ = "outbox"
    id: Mapped[Key]
    topic: Mapped[str]
    dedupe_key: Mapped[str | None]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[Created]
    available_at: Mapped[Created]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    state: Mapped[str] = mapped_column(server_default="pending")
    done_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    __table_args__ = (
        one_of("state", ("pending", "done", "dead")),
        UniqueConstraint("topic", "dedupe_key"),
        Index("ix_outbox_due", "available_at", "id", postgresql_where=text("state = 'pending'")),
    )


class Approval(Base):
    """Law 8: an act that moves money or publishes waits here for a second person of the same organisation."""

    __tablename__ = "approval"
    id: Mapped[Key]
    kind: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[int]
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    requested_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    requested_at: Mapped[Created]
    state: Mapped[str] = mapped_column(server_default="waiting")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    __table_args__ = (
        one_of("state", ("waiting", "approved", "refused", "withdrawn")),
        CheckConstraint(
            "state NOT IN ('approved','refused') OR (decided_by IS NOT NULL AND decided_by <> requested_by)",
            name="second_person",
        ),
        Index(
            "uq_approval_open",
            "kind",
            "subject",
            "subject_id",
            unique=True,
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_approval_org", "org_id", "state"),
    )


class Document(Base):
    """An uploaded or generated file, content-addressed. ``visibility`` decides who may read it."""

    __tablename__ = "document"
    id: Mapped[Key]
    kind: Mapped[str]  # document type code of domain §2.9
    subject: Mapped[str]
    subject_id: Mapped[int]
    org_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    filename: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    visibility: Mapped[str] = mapped_column(server_default="org")
    uploaded_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]
    removed_at: Mapped[datetime | None]
    __table_args__ = (
        # org: the owner; manager: owner and platform; bidders: verified bidders too; public: everyone
        one_of("visibility", ("org", "manager", "bidders", "public")),
        Index("ix_document_subject", "subject", "subject_id", "id"),
    )


class StoredFile(Base):
    """Bytes of a document by their hash, in the database so that one backup holds everything and a document
    row and its bytes commit together."""

    __tablename__ = "stored_file"
    sha256: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Created]


class Heartbeat(Base):
    """Dead-man's switch of each periodic task: when it last ran to its end."""

    __tablename__ = "heartbeat"
    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
