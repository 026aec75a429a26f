"""Saved searches and what they found, needs and who answered them, and the sequence of public changes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import relationship

from marketplace.core.db import Base, Created, Key, Mapped, mapped_column, one_of

OFTEN = ("at_once", "daily", "never")
NEED_STATES = ("draft", "submitted", "published", "matched", "closed", "expired")
RESPONSE_STATES = ("offered", "accepted", "declined", "withdrawn", "lapsed")
WANTED = ("licence", "purchase", "either")
STREAMS = ("listings", "results")


class SavedSearch(Base):
    """A search that its owner wants to hear of. ``query`` is the canonical query string of the search page.

    ``shared``: every member of the organisation sees it and gets its mail. ``noted_at``: when what matched at the
    start was noted; until then nothing alerts. ``broad``: more matched than can be noted, so that only offers published
    later alert.
    """

    __tablename__ = "saved_search"
    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    org_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    shared: Mapped[bool] = mapped_column(server_default=text("false"))
    name: Mapped[str]
    query: Mapped[str]
    often: Mapped[str] = mapped_column(server_default="at_once")
    paused: Mapped[bool] = mapped_column(server_default=text("false"))
    noted_at: Mapped[datetime | None]
    broad: Mapped[bool] = mapped_column(server_default=text("false"))
    looked_at: Mapped[Created]
    demo: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[Created]
    __table_args__ = (
        one_of("often", OFTEN),
        CheckConstraint("NOT shared OR org_id IS NOT NULL", name="shared_by_an_organisation"),
        Index("ix_saved_search_user", "user_id"),
        Index("ix_saved_search_org", "org_id", postgresql_where=text("shared")),
        Index("ix_saved_search_start", "id", postgresql_where=text("noted_at IS NULL")),
    )


class SavedSearchHit(Base):
    """An offer that a saved search found, once for ever. ``known``: it matched already when the search was saved.
    ``told_at``: when its mail was queued."""

    __tablename__ = "saved_search_hit"
    id: Mapped[Key]
    search_id: Mapped[int] = mapped_column(ForeignKey("saved_search.id", ondelete="CASCADE"))
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), index=True)
    found_at: Mapped[Created]
    known: Mapped[bool] = mapped_column(server_default=text("false"))
    told_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("search_id", "listing_id"),
        Index("ix_saved_search_hit_new", "search_id", "found_at", postgresql_where=text("NOT known")),
        Index("ix_saved_search_hit_untold", "search_id", postgresql_where=text("NOT known AND told_at IS NULL")),
    )


class SavedSearchMute(Base):
    """A member who wants no mail of a shared search."""

    __tablename__ = "saved_search_mute"
    search_id: Mapped[int] = mapped_column(ForeignKey("saved_search.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    created_at: Mapped[Created]


class MatchTodo(Base):
    """An offer whose document in the index is newer than the standing interest that was asked of it. ``turn`` grows
    with each change, so that a change during the asking is asked again."""

    __tablename__ = "match_todo"
    listing_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # no key: it waits for no lock
    turn: Mapped[int] = mapped_column(server_default=text("1"))
    since: Mapped[Created]


class Need(Base):
    """What technology an enterprise looks for. ``contact`` is told only to a responder whom the poster accepted, and
    the poster's name only where ``anonymous`` is false. Amounts in minor units; ``valid_until`` is the last day
    (Asia/Shanghai) on which it is answered."""

    __tablename__ = "need"
    id: Mapped[Key]
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    title: Mapped[str]
    title_en: Mapped[str | None]
    details: Mapped[str] = mapped_column(server_default="")
    details_en: Mapped[str | None]
    ipc: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    industry: Mapped[str | None]
    region_code: Mapped[str | None]
    wanted: Mapped[str] = mapped_column(server_default="either")
    budget_low_minor: Mapped[int | None]
    budget_high_minor: Mapped[int | None]
    currency: Mapped[str] = mapped_column(server_default="CNY")
    valid_until: Mapped[date | None]
    anonymous: Mapped[bool] = mapped_column(server_default=text("true"))
    contact: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(server_default="draft")
    state_reason: Mapped[str | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]
    updated_at: Mapped[Created]
    submitted_at: Mapped[datetime | None]
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    published_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    judged_at: Mapped[datetime | None]  # when the offers of that moment were compared with it
    demo: Mapped[bool] = mapped_column(server_default=text("false"))
    responses: Mapped[list[NeedResponse]] = relationship(order_by="NeedResponse.id", back_populates="need")
    __table_args__ = (
        one_of("state", NEED_STATES),
        one_of("wanted", WANTED),
        CheckConstraint("budget_low_minor IS NULL OR budget_low_minor >= 0", name="budget_low"),
        CheckConstraint(
            "budget_high_minor IS NULL OR budget_high_minor >= coalesce(budget_low_minor, 0)", name="budget_order"
        ),
        CheckConstraint(
            "state IN ('draft', 'submitted') OR (published_at IS NOT NULL AND valid_until IS NOT NULL)",
            name="published_whole",
        ),
        CheckConstraint("reviewed_by IS NULL OR reviewed_by <> created_by", name="second_person"),
        Index("ix_need_state", "state", "published_at"),
        Index("ix_need_org", "org_id", "id"),
        Index("ix_need_to_judge", "id", postgresql_where=text("state = 'published' AND judged_at IS NULL")),
    )


class NeedResponse(Base):
    """An owner's answer: this offer of ours may serve. ``contact`` is told only once the poster accepted."""

    __tablename__ = "need_response"
    id: Mapped[Key]
    need_id: Mapped[int] = mapped_column(ForeignKey("need.id"))
    org_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"))
    message: Mapped[str]
    contact: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="offered")
    state_reason: Mapped[str | None]
    created_by: Mapped[int] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    need: Mapped[Need] = relationship(back_populates="responses")
    __table_args__ = (
        one_of("state", RESPONSE_STATES),
        # an offer answers a need once; a withdrawn answer may be given again
        Index(
            "uq_need_response_open", "need_id", "listing_id", unique=True, postgresql_where=text("state <> 'withdrawn'")
        ),
        Index("ix_need_response_org", "org_id", "id"),
    )


class NeedMatch(Base):
    """An offer that may serve a need, with the reasons as ``rules.judge`` found them. Rewritten whenever either
    changes; the pages look at the states of both again."""

    __tablename__ = "need_match"
    need_id: Mapped[int] = mapped_column(ForeignKey("need.id", ondelete="CASCADE"), primary_key=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), primary_key=True, index=True)
    score: Mapped[int]
    reasons: Mapped[list[Any]]
    judged_at: Mapped[Created]


class FeedEntry(Base):
    """A change of public facts, written in the change's own transaction (append-only, trigger).

    ``id`` is taken before the commit, so ids become visible out of order. ``position`` is given afterwards, by one
    numbering at a time (``feed.number``): positions become visible in their order, and a reader who asks for what
    comes after the last one misses nothing.
    """

    __tablename__ = "feed_entry"
    id: Mapped[Key]
    stream: Mapped[str]
    subject_id: Mapped[int]  # listings: the listing; results: the lot
    at: Mapped[Created]
    position: Mapped[int | None] = mapped_column(unique=True)
    __table_args__ = (
        one_of("stream", STREAMS),
        Index("ix_feed_entry_subject", "stream", "subject_id", "position"),
        Index("ix_feed_entry_stream", "stream", "position"),
        Index("ix_feed_entry_waiting", "id", postgresql_where=text("position IS NULL")),
    )
