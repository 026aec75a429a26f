"""Further rounds of an offer with their own notices; the status that a transferee must prove."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0001"

SQL = Path(__file__).parent / "sql"


def upgrade() -> None:
    op.add_column("listing", sa.Column("qualification", sa.Text(), server_default="", nullable=False))
    moment, amount = sa.DateTime(timezone=True), sa.BigInteger()
    op.create_table(
        "listing_round",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("listing_id", sa.BigInteger(), nullable=False),
        sa.Column("round_no", sa.BigInteger(), nullable=False),
        sa.Column("after_lot_id", sa.BigInteger(), nullable=False),
        sa.Column("start_minor", amount, nullable=False),
        sa.Column("increment_minor", amount, nullable=False),
        sa.Column("deposit_minor", amount, nullable=False),
        sa.Column("opens_at", moment, nullable=False),
        sa.Column("ends_at", moment, nullable=False),
        sa.Column("parties_notified_at", moment, nullable=True),
        sa.Column("notification_note", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("state_reason", sa.Text(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("submitted_by", sa.BigInteger(), nullable=True),
        sa.Column("submitted_at", moment, nullable=True),
        sa.Column("review", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("reviewed_by", sa.BigInteger(), nullable=True),
        sa.Column("reviewed_at", moment, nullable=True),
        sa.Column("published_by", sa.BigInteger(), nullable=True),
        sa.Column("published_at", moment, nullable=True),
        sa.Column("lot_id", sa.BigInteger(), nullable=True),
        sa.Column("notice_text", sa.Text(), nullable=True),
        sa.Column("notice_sha256", sa.Text(), nullable=True),
        sa.Column("created_at", moment, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("updated_at", moment, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'reviewed', 'published', 'dropped')", name=op.f("ck_listing_round_state")
        ),
        sa.CheckConstraint(
            "start_minor > 0 AND increment_minor > 0 AND deposit_minor >= 0", name=op.f("ck_listing_round_amounts")
        ),
        sa.CheckConstraint("ends_at > opens_at", name=op.f("ck_listing_round_window")),
        sa.CheckConstraint(
            "published_by IS NULL OR published_by <> reviewed_by", name=op.f("ck_listing_round_second_person")
        ),
        sa.CheckConstraint(
            "(state = 'published') = (published_at IS NOT NULL) AND (published_at IS NULL OR "
            "(lot_id IS NOT NULL AND notice_sha256 IS NOT NULL AND notice_text IS NOT NULL))",
            name=op.f("ck_listing_round_published_whole"),
        ),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.id"], name=op.f("fk_listing_round_listing_id")),
        sa.ForeignKeyConstraint(["after_lot_id"], ["lot.id"], name=op.f("fk_listing_round_after_lot_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_listing_round_lot_id")),
        *(
            sa.ForeignKeyConstraint([column], ["user.id"], name=op.f(f"fk_listing_round_{column}"))
            for column in ("created_by", "submitted_by", "reviewed_by", "published_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_round")),
    )
    op.create_index(op.f("ix_listing_round_listing_id"), "listing_round", ["listing_id"])
    op.create_index(
        "uq_listing_round_open",
        "listing_round",
        ["listing_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('draft', 'submitted', 'reviewed')"),
    )
    op.create_index(
        "uq_listing_round_published",
        "listing_round",
        ["listing_id", "round_no"],
        unique=True,
        postgresql_where=sa.text("state = 'published'"),
    )
    op.create_table(
        "bidder_qualification",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="filed", nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", moment, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("state IN ('filed', 'confirmed', 'refused')", name=op.f("ck_bidder_qualification_state")),
        sa.CheckConstraint(
            "state = 'filed' OR reason IS NOT NULL", name=op.f("ck_bidder_qualification_decided_with_reason")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_bidder_qualification_lot_id")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_bidder_qualification_org_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["user.id"], name=op.f("fk_bidder_qualification_decided_by")),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], name=op.f("fk_bidder_qualification_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bidder_qualification")),
        sa.UniqueConstraint("lot_id", "org_id", name=op.f("uq_bidder_qualification_lot_id_org_id")),
    )
    run(SQL / "0003" / "rounds.sql")


def downgrade() -> None:
    """The tables go with their rows; the guard of published listings is the first release's again."""
    op.drop_table("bidder_qualification")
    op.drop_table("listing_round")
    op.execute("DROP FUNCTION guard_listing_round()")
    run(SQL / "0003" / "down.sql")
    op.drop_column("listing", "qualification")


def run(script: Path) -> None:
    op.get_bind().exec_driver_sql(script.read_text(encoding="utf-8").replace("%", "%%"))
