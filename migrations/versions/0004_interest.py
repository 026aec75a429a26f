"""Standing interest: saved searches and their hits, needs, responses and matches, the sequence of public changes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

# a change of public facts is written once; afterwards only its place in the sequence is given, once
TRIGGER = """
CREATE FUNCTION feed_entry_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.position IS NOT NULL OR NEW.position IS NULL
       OR (NEW.id, NEW.stream, NEW.subject_id, NEW.at) IS DISTINCT FROM (OLD.id, OLD.stream, OLD.subject_id, OLD.at) THEN
        RAISE EXCEPTION 'table feed_entry is append-only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER feed_entry_append_only BEFORE UPDATE OR DELETE ON feed_entry
    FOR EACH ROW EXECUTE FUNCTION feed_entry_guard();
"""
# what is public already stands in the sequence in the order in which it became so
BACKFILL = """
INSERT INTO feed_entry (stream, subject_id, at)
SELECT stream, subject_id, at FROM (
    SELECT 'listings' AS stream, id AS subject_id, published_at AS at FROM listing
    WHERE published_at IS NOT NULL AND state IN ('published', 'suspended', 'withdrawn', 'closed')
    UNION ALL SELECT 'results', lot_id, closed_at FROM lot_result
) AS known ORDER BY at, stream, subject_id
"""


def upgrade() -> None:
    op.create_table('feed_entry',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('stream', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("stream IN ('listings', 'results')", name=op.f('ck_feed_entry_stream')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_feed_entry')),
    sa.UniqueConstraint('position', name=op.f('uq_feed_entry_position'))
    )
    op.create_index('ix_feed_entry_stream', 'feed_entry', ['stream', 'position'], unique=False)
    op.create_index('ix_feed_entry_subject', 'feed_entry', ['stream', 'subject_id', 'position'], unique=False)
    op.create_index('ix_feed_entry_waiting', 'feed_entry', ['id'], unique=False, postgresql_where=sa.text('position IS NULL'))
    op.create_table('need',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('org_id', sa.BigInteger(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('title_en', sa.Text(), nullable=True),
    sa.Column('details', sa.Text(), server_default='', nullable=False),
    sa.Column('details_en', sa.Text(), nullable=True),
    sa.Column('ipc', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('industry', sa.Text(), nullable=True),
    sa.Column('region_code', sa.Text(), nullable=True),
    sa.Column('wanted', sa.Text(), server_default='either', nullable=False),
    sa.Column('budget_low_minor', sa.BigInteger(), nullable=True),
    sa.Column('budget_high_minor', sa.BigInteger(), nullable=True),
    sa.Column('currency', sa.Text(), server_default='CNY', nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('anonymous', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('contact', sa.Text(), server_default='', nullable=False),
    sa.Column('state', sa.Text(), server_default='draft', nullable=False),
    sa.Column('state_reason', sa.Text(), nullable=True),
    sa.Column('created_by', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('submitted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reviewed_by', sa.BigInteger(), nullable=True),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('judged_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('demo', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.CheckConstraint("state IN ('draft', 'submitted') OR (published_at IS NOT NULL AND valid_until IS NOT NULL)", name=op.f('ck_need_published_whole')),
    sa.CheckConstraint("state IN ('draft', 'submitted', 'published', 'matched', 'closed', 'expired')", name=op.f('ck_need_state')),
    sa.CheckConstraint("wanted IN ('licence', 'purchase', 'either')", name=op.f('ck_need_wanted')),
    sa.CheckConstraint('budget_high_minor IS NULL OR budget_high_minor >= coalesce(budget_low_minor, 0)', name=op.f('ck_need_budget_order')),
    sa.CheckConstraint('budget_low_minor IS NULL OR budget_low_minor >= 0', name=op.f('ck_need_budget_low')),
    sa.CheckConstraint('reviewed_by IS NULL OR reviewed_by <> created_by', name=op.f('ck_need_second_person')),
    sa.ForeignKeyConstraint(['created_by'], ['user.id'], name=op.f('fk_need_created_by')),
    sa.ForeignKeyConstraint(['org_id'], ['organisation.id'], name=op.f('fk_need_org_id')),
    sa.ForeignKeyConstraint(['reviewed_by'], ['user.id'], name=op.f('fk_need_reviewed_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_need'))
    )
    op.create_index('ix_need_org', 'need', ['org_id', 'id'], unique=False)
    op.create_index('ix_need_to_judge', 'need', ['id'], unique=False, postgresql_where=sa.text("state = 'published' AND judged_at IS NULL"))
    op.create_index('ix_need_state', 'need', ['state', 'published_at'], unique=False)
    op.create_table('saved_search',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('org_id', sa.BigInteger(), nullable=True),
    sa.Column('shared', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('query', sa.Text(), nullable=False),
    sa.Column('often', sa.Text(), server_default='at_once', nullable=False),
    sa.Column('paused', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('noted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('broad', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('looked_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('demo', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.CheckConstraint("often IN ('at_once', 'daily', 'never')", name=op.f('ck_saved_search_often')),
    sa.CheckConstraint('NOT shared OR org_id IS NOT NULL', name=op.f('ck_saved_search_shared_by_an_organisation')),
    sa.ForeignKeyConstraint(['org_id'], ['organisation.id'], name=op.f('fk_saved_search_org_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_saved_search_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_search'))
    )
    op.create_index('ix_saved_search_org', 'saved_search', ['org_id'], unique=False, postgresql_where=sa.text('shared'))
    op.create_index('ix_saved_search_start', 'saved_search', ['id'], unique=False, postgresql_where=sa.text('noted_at IS NULL'))
    op.create_index('ix_saved_search_user', 'saved_search', ['user_id'], unique=False)
    op.create_table('saved_search_mute',
    sa.Column('search_id', sa.BigInteger(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.ForeignKeyConstraint(['search_id'], ['saved_search.id'], name=op.f('fk_saved_search_mute_search_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_saved_search_mute_user_id')),
    sa.PrimaryKeyConstraint('search_id', 'user_id', name=op.f('pk_saved_search_mute'))
    )
    op.create_table('match_todo',
    sa.Column('listing_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('turn', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('listing_id', name=op.f('pk_match_todo'))
    )
    op.create_table('need_match',
    sa.Column('need_id', sa.BigInteger(), nullable=False),
    sa.Column('listing_id', sa.BigInteger(), nullable=False),
    sa.Column('score', sa.BigInteger(), nullable=False),
    sa.Column('reasons', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('judged_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.ForeignKeyConstraint(['listing_id'], ['listing.id'], name=op.f('fk_need_match_listing_id')),
    sa.ForeignKeyConstraint(['need_id'], ['need.id'], name=op.f('fk_need_match_need_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('need_id', 'listing_id', name=op.f('pk_need_match'))
    )
    op.create_index(op.f('ix_need_match_listing_id'), 'need_match', ['listing_id'], unique=False)
    op.create_table('need_response',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('need_id', sa.BigInteger(), nullable=False),
    sa.Column('org_id', sa.BigInteger(), nullable=False),
    sa.Column('listing_id', sa.BigInteger(), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('contact', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='offered', nullable=False),
    sa.Column('state_reason', sa.Text(), nullable=True),
    sa.Column('created_by', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('decided_by', sa.BigInteger(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('offered', 'accepted', 'declined', 'withdrawn', 'lapsed')", name=op.f('ck_need_response_state')),
    sa.ForeignKeyConstraint(['created_by'], ['user.id'], name=op.f('fk_need_response_created_by')),
    sa.ForeignKeyConstraint(['decided_by'], ['user.id'], name=op.f('fk_need_response_decided_by')),
    sa.ForeignKeyConstraint(['listing_id'], ['listing.id'], name=op.f('fk_need_response_listing_id')),
    sa.ForeignKeyConstraint(['need_id'], ['need.id'], name=op.f('fk_need_response_need_id')),
    sa.ForeignKeyConstraint(['org_id'], ['organisation.id'], name=op.f('fk_need_response_org_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_need_response'))
    )
    op.create_index('ix_need_response_org', 'need_response', ['org_id', 'id'], unique=False)
    op.create_index('uq_need_response_open', 'need_response', ['need_id', 'listing_id'], unique=True, postgresql_where=sa.text("state <> 'withdrawn'"))
    op.create_table('saved_search_hit',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('search_id', sa.BigInteger(), nullable=False),
    sa.Column('listing_id', sa.BigInteger(), nullable=False),
    sa.Column('found_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('known', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['listing_id'], ['listing.id'], name=op.f('fk_saved_search_hit_listing_id')),
    sa.ForeignKeyConstraint(['search_id'], ['saved_search.id'], name=op.f('fk_saved_search_hit_search_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_search_hit')),
    sa.UniqueConstraint('search_id', 'listing_id', name=op.f('uq_saved_search_hit_search_id_listing_id'))
    )
    op.create_index(op.f('ix_saved_search_hit_listing_id'), 'saved_search_hit', ['listing_id'], unique=False)
    op.create_index('ix_saved_search_hit_new', 'saved_search_hit', ['search_id', 'found_at'], unique=False, postgresql_where=sa.text('NOT known'))
    op.create_index('ix_saved_search_hit_untold', 'saved_search_hit', ['search_id'], unique=False, postgresql_where=sa.text('NOT known AND told_at IS NULL'))
    op.execute(TRIGGER)
    op.execute(BACKFILL)


def downgrade() -> None:
    op.drop_index('ix_saved_search_hit_untold', table_name='saved_search_hit', postgresql_where=sa.text('NOT known AND told_at IS NULL'))
    op.drop_index('ix_saved_search_hit_new', table_name='saved_search_hit', postgresql_where=sa.text('NOT known'))
    op.drop_index(op.f('ix_saved_search_hit_listing_id'), table_name='saved_search_hit')
    op.drop_table('saved_search_hit')
    op.drop_index('uq_need_response_open', table_name='need_response', postgresql_where=sa.text("state <> 'withdrawn'"))
    op.drop_index('ix_need_response_org', table_name='need_response')
    op.drop_table('need_response')
    op.drop_index(op.f('ix_need_match_listing_id'), table_name='need_match')
    op.drop_table('need_match')
    op.drop_table('match_todo')
    op.drop_table('saved_search_mute')
    op.drop_index('ix_saved_search_user', table_name='saved_search')
    op.drop_index('ix_saved_search_start', table_name='saved_search', postgresql_where=sa.text('noted_at IS NULL'))
    op.drop_index('ix_saved_search_org', table_name='saved_search', postgresql_where=sa.text('shared'))
    op.drop_table('saved_search')
    op.drop_index('ix_need_to_judge', table_name='need', postgresql_where=sa.text("state = 'published' AND judged_at IS NULL"))
    op.drop_index('ix_need_state', table_name='need')
    op.drop_index('ix_need_org', table_name='need')
    op.drop_table('need')
    op.drop_index('ix_feed_entry_waiting', table_name='feed_entry', postgresql_where=sa.text('position IS NULL'))
    op.drop_index('ix_feed_entry_subject', table_name='feed_entry')
    op.drop_index('ix_feed_entry_stream', table_name='feed_entry')
    op.drop_table('feed_entry')
    op.execute("DROP FUNCTION feed_entry_guard()")
