"""What the index should hold and holds, the names of the trees, the managers' synonyms, the rebuilds."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text

from marketplace.core.db import Base, Created, Key, Mapped, mapped_column, one_of


class SearchDocument(Base):
    """One row a public offer. ``version`` grows with each change, in the change's own transaction; a row whose
    ``indexed_version`` is lower waits to be written. ``local_version``: the same for the local engine kept in step
    beside Elasticsearch. ``lot_id`` and ``lot_version``: the price and end of a running lot that were last noticed."""

    __tablename__ = "search_document"
    listing_id: Mapped[int] = mapped_column(ForeignKey("listing.id"), primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(server_default=text("1"))
    indexed_version: Mapped[int] = mapped_column(server_default=text("0"))
    local_version: Mapped[int] = mapped_column(server_default=text("0"))
    rebuilt_version: Mapped[int] = mapped_column(server_default=text("0"))  # written to the generation being built
    changed_at: Mapped[Created]  # since when it waits
    indexed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_try_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    dead: Mapped[bool] = mapped_column(server_default=text("false"))
    recheck_at: Mapped[datetime | None]  # when time alone changes the document
    digest: Mapped[str | None]  # of the content last written, for the nightly comparison
    lot_id: Mapped[int | None]
    lot_version: Mapped[int | None]
    __table_args__ = (
        CheckConstraint("version > 0", name="version"),
        Index("ix_search_document_waiting", "changed_at", postgresql_where=text("indexed_version < version")),
        Index("ix_search_document_recheck", "recheck_at", postgresql_where=text("recheck_at IS NOT NULL")),
    )


class SearchTaxon(Base):
    """A node of a tree and its names: IPC (IPC, WIPO), GB/T 4754, the divisions of China. Loaded by
    ``flask search taxonomy``; the top levels stand in ``discovery.trees``."""

    __tablename__ = "search_taxon"
    scheme: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    parent: Mapped[str | None]
    name_zh: Mapped[str]
    name_en: Mapped[str | None]
    __table_args__ = (
        one_of("scheme", ("ipc", "industry", "region")),
        Index("ix_search_taxon_parent", "scheme", "parent"),
    )


class SearchSynonym(Base):
    """A group of words that mean the same, kept by managers."""

    __tablename__ = "search_synonym"
    id: Mapped[Key]
    words: Mapped[list[str]]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[Created]


class SearchRebuild(Base):
    """A rebuild of the index: asked for by a manager or a command, and how far it is. One at a time."""

    __tablename__ = "search_rebuild"
    id: Mapped[Key]
    engine: Mapped[str] = mapped_column(server_default="main")
    state: Mapped[str] = mapped_column(server_default="waiting")
    total: Mapped[int] = mapped_column(server_default=text("0"))
    done: Mapped[int] = mapped_column(server_default=text("0"))
    faults: Mapped[int] = mapped_column(server_default=text("0"))
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    asked_at: Mapped[Created]
    started_at: Mapped[datetime | None]
    beat_at: Mapped[datetime | None]  # it is alive
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]
    __table_args__ = (
        one_of("engine", ("main", "local")),
        one_of("state", ("waiting", "running", "done", "failed")),
        Index(
            "uq_search_rebuild_open",
            "engine",
            unique=True,
            postgresql_where=text("state IN ('waiting', 'running')"),
        ),
    )
