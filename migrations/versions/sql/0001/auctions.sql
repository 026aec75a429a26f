CREATE TRIGGER course_entry_append_only BEFORE UPDATE OR DELETE ON course_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bid_refusal_append_only BEFORE UPDATE OR DELETE ON bid_refusal
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The end of a running sale never moves back, its version never falls, and an ended sale stays ended
-- (failure modes 1.6, 1.7). A suspended sale gets a new end when it resumes, never an earlier one.
CREATE FUNCTION guard_lot_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.ends_at < OLD.ends_at THEN
        RAISE EXCEPTION 'the end of lot % may not move back', OLD.lot_id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.version < OLD.version OR NEW.seq < OLD.seq THEN
        RAISE EXCEPTION 'lot % may not go back to an older version', OLD.lot_id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state IN ('sold', 'unsold', 'withdrawn') AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION 'lot % has ended', OLD.lot_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lot_state_guard BEFORE UPDATE ON lot_state FOR EACH ROW EXECUTE FUNCTION guard_lot_state();

CREATE FUNCTION guard_lot_result() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.outcome, NEW.closed_at, NEW.price_minor, NEW.winner_registration_id,
        NEW.backup_registration_id, NEW.bids, NEW.head_hash, NEW.signature) IS DISTINCT FROM
        (OLD.outcome, OLD.closed_at, OLD.price_minor, OLD.winner_registration_id,
        OLD.backup_registration_id, OLD.bids, OLD.head_hash, OLD.signature) THEN
        RAISE EXCEPTION 'the result of lot % stands', OLD.lot_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lot_result_guard BEFORE UPDATE OR DELETE ON lot_result
    FOR EACH ROW EXECUTE FUNCTION guard_lot_result();

-- The hot path of a bid: wait for the lot's lock, then look. A volatile function takes a fresh snapshot for each
-- statement, so everything read in the second one, and the clock, is as of *after* the wait (law 2, law 4); one
-- SELECT … FOR UPDATE would read the clock and the joined rows before it.
CREATE FUNCTION lock_lot_for_bid(p_lot bigint, p_org bigint, p_key text) RETURNS TABLE (
    now timestamptz, genesis_hash text, state text, opens_at timestamptz, ends_at timestamptz,
    scheduled_ends_at timestamptz, price_minor bigint, leader_code text, leader_rank bigint, leader_seq bigint,
    seq bigint, bids bigint, extensions bigint, last_hash text, last_at timestamptz, suspended_at timestamptz,
    version bigint, registration_id bigint, code text, rank bigint, registration_state text,
    organisation_state text, barred boolean, seller_side boolean, accepted jsonb, refused jsonb
) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
    PERFORM 1 FROM lot_state WHERE lot_id = p_lot FOR UPDATE;
    RETURN QUERY SELECT clock_timestamp(), l.genesis_hash, s.state, s.opens_at, s.ends_at, s.scheduled_ends_at,
        s.price_minor, s.leader_code, s.leader_rank, s.leader_seq, s.seq, s.bids, s.extensions, s.last_hash,
        s.last_at, s.suspended_at, s.version, r.id, r.code, r.rank, r.state, o.state,
        EXISTS (SELECT 1 FROM bar b WHERE b.org_id = p_org AND b.lifted_at IS NULL
                AND (b.listing_id IS NULL OR b.listing_id = l.listing_id)),
        l.org_id = p_org OR EXISTS (SELECT 1 FROM affiliation a WHERE (a.org_id, a.affiliate_id) IN
                ((l.org_id, p_org), (p_org, l.org_id))),
        (SELECT to_jsonb(e) FROM course_entry e WHERE e.registration_id = r.id AND e.idempotency_key = p_key),
        (SELECT to_jsonb(f) FROM bid_refusal f WHERE f.registration_id = r.id AND f.idempotency_key = p_key)
      FROM lot_state s JOIN lot l ON l.id = s.lot_id
      LEFT JOIN registration r ON r.lot_id = s.lot_id AND r.org_id = p_org
      LEFT JOIN organisation o ON o.id = p_org
     WHERE s.lot_id = p_lot;
END $$;
