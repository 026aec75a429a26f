"""What the index holds of each offer, names of the trees, synonyms, rebuilds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0004"


def upgrade() -> None:
    moment, number = sa.DateTime(timezone=True), sa.BigInteger()

    def counted(name: str, start: str = "0") -> sa.Column:
        return sa.Column(name, number, server_default=sa.text(start), nullable=False)

    def created(name: str) -> sa.Column:
        return sa.Column(name, moment, server_default=sa.text("clock_timestamp()"), nullable=False)

    op.create_table(
        "search_document",
        sa.Column("listing_id", number, autoincrement=False, nullable=False),
        counted("version", "1"),
        counted("indexed_version"),
        counted("local_version"),
        counted("rebuilt_version"),
        created("changed_at"),
        sa.Column("indexed_at", moment, nullable=True),
        counted("attempts"),
        sa.Column("next_try_at", moment, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("dead", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("recheck_at", moment, nullable=True),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("lot_id", number, nullable=True),
        sa.Column("lot_version", number, nullable=True),
        sa.CheckConstraint("version > 0", name=op.f("ck_search_document_version")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_search_document_listing_id")),
        sa.PrimaryKeyConstraint("listing_id", name=op.f("pk_search_document")),
    )
    op.create_index(
        "ix_search_document_waiting",
        "search_document",
        ["changed_at"],
        postgresql_where=sa.text("indexed_version < version"),
    )
    op.create_index(
        "ix_search_document_recheck",
        "search_document",
        ["recheck_at"],
        postgresql_where=sa.text("recheck_at IS NOT NULL"),
    )
    op.create_table(
        "search_taxon",
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.CheckConstraint("scheme IN ('ipc', 'industry', 'region')", name=op.f("ck_search_taxon_scheme")),
        sa.PrimaryKeyConstraint("scheme", "code", name=op.f("pk_search_taxon")),
    )
    op.create_index("ix_search_taxon_parent", "search_taxon", ["scheme", "parent"])
    op.create_table(
        "search_synonym",
        sa.Column("id", number, sa.Identity(always=False), nullable=False),
        sa.Column("words", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_by", number, nullable=True),
        created("created_at"),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], name=op.f("fk_search_synonym_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_synonym")),
    )
    op.create_table(
        "search_rebuild",
        sa.Column("id", number, sa.Identity(always=False), nullable=False),
        sa.Column("engine", sa.Text(), server_default="main", nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        counted("total"),
        counted("done"),
        counted("faults"),
        sa.Column("asked_by", number, nullable=True),
        created("asked_at"),
        sa.Column("started_at", moment, nullable=True),
        sa.Column("beat_at", moment, nullable=True),
        sa.Column("finished_at", moment, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint("engine IN ('main', 'local')", name=op.f("ck_search_rebuild_engine")),
        sa.CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name=op.f("ck_search_rebuild_state")),
        sa.ForeignKeyConstraint(["asked_by"], ["user.id"], name=op.f("fk_search_rebuild_asked_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_rebuild")),
    )
    op.create_index(
        "uq_search_rebuild_open",
        "search_rebuild",
        ["engine"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
    # what is before the public already is found from the first sync on
    op.execute("INSERT INTO search_document (listing_id) SELECT id FROM listing WHERE published_at IS NOT NULL")


def downgrade() -> None:
    op.drop_table("search_rebuild")
    op.drop_table("search_synonym")
    op.drop_table("search_taxon")
    op.drop_table("search_document")
