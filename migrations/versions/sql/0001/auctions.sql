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

-- The hot path of bids: wait for the lot's lock, then look. A volatile function takes a fresh snapshot for each
-- statement, so everything read in the second one, and the clock, is as of *after* the wait (law 2, law 4); one
-- SELECT … FOR UPDATE would read the clock and the joined rows before it. One row for each of ``p_asks``
-- (org, key; token or user and mark where the sign-in is to be proved again), in their order, each with its own clock.
CREATE FUNCTION lock_lot_for_bids(p_lot bigint, p_asks jsonb) RETURNS TABLE (
    now timestamptz, genesis_hash text, state text, opens_at timestamptz, ends_at timestamptz,
    scheduled_ends_at timestamptz, price_minor bigint, leader_code text, leader_rank bigint, leader_seq bigint,
    seq bigint, bids bigint, extensions bigint, last_hash text, last_at timestamptz, suspended_at timestamptz,
    version bigint, registration_id bigint, code text, rank bigint, registration_state text,
    organisation_state text, barred boolean, seller_side boolean, accepted jsonb, refused jsonb, signed_in boolean
) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
    PERFORM 1 FROM lot_state WHERE lot_id = p_lot FOR UPDATE;
    RETURN QUERY SELECT clock_timestamp(), x.* FROM (
        SELECT l.genesis_hash, s.state, s.opens_at, s.ends_at, s.scheduled_ends_at,
            s.price_minor, s.leader_code, s.leader_rank, s.leader_seq, s.seq, s.bids, s.extensions, s.last_hash,
            s.last_at, s.suspended_at, s.version, r.id, r.code, r.rank, r.state, o.state,
            EXISTS (SELECT 1 FROM bar b WHERE b.org_id = a.org AND b.lifted_at IS NULL
                    AND (b.listing_id IS NULL OR b.listing_id = l.listing_id)),
            l.org_id = a.org OR EXISTS (SELECT 1 FROM affiliation f WHERE (f.org_id, f.affiliate_id) IN
                    ((l.org_id, a.org), (a.org, l.org_id))),
            (SELECT to_jsonb(e) FROM course_entry e WHERE e.registration_id = r.id AND e.idempotency_key = a.key),
            (SELECT to_jsonb(f) FROM bid_refusal f WHERE f.registration_id = r.id AND f.idempotency_key = a.key),
            CASE WHEN a.token IS NOT NULL THEN EXISTS (SELECT 1 FROM api_token t WHERE t.id = a.token
                    AND t.org_id = a.org AND t.revoked_at IS NULL AND 'bids:write' = ANY (t.scopes)
                    AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp()))
                 WHEN a.mark IS NOT NULL THEN EXISTS (SELECT 1 FROM "user" u JOIN membership m ON m.user_id = u.id
                    WHERE u.id = a."user" AND u.active AND u.fs_uniquifier = a.mark
                    AND m.active AND m.org_id = a.org AND 'maker' = ANY (m.roles))
                 ELSE true END
          FROM jsonb_array_elements(p_asks) WITH ORDINALITY AS asked (ask, n)
          CROSS JOIN LATERAL jsonb_to_record(asked.ask)
                AS a (org bigint, key text, token bigint, "user" bigint, mark text)
          JOIN lot_state s ON s.lot_id = p_lot JOIN lot l ON l.id = s.lot_id
          LEFT JOIN registration r ON r.lot_id = s.lot_id AND r.org_id = a.org
          LEFT JOIN organisation o ON o.id = a.org
         ORDER BY asked.n) x;
END $$;

-- What was decided under that lock, in one trip: the entries of accepted bids, in order, the state after the last of
-- them, and the refusals.
CREATE FUNCTION keep_bids(p_lot bigint, p_entries jsonb, p_extensions bigint, p_refusals jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF jsonb_array_length(p_entries) > 0 THEN
        INSERT INTO course_entry (lot_id, seq, kind, registration_id, code, rank, amount_minor, received_at, decided_at,
                                  ends_at, data, prev_hash, hash, receipt, idempotency_key, user_id)
        SELECT p_lot, e.seq, 'bid', e.registration_id, e.code, e.rank, e.amount_minor, e.received_at, e.decided_at,
               e.ends_at, e.data, e.prev_hash, e.hash, e.receipt, e.idempotency_key, e.user_id
          FROM jsonb_to_recordset(p_entries) AS e (seq bigint, registration_id bigint, code text, rank bigint,
               amount_minor bigint, received_at timestamptz, decided_at timestamptz, ends_at timestamptz, data jsonb,
               prev_hash text, hash text, receipt text, idempotency_key text, user_id bigint)
         ORDER BY e.seq;
        UPDATE lot_state SET state = 'running', price_minor = e.amount_minor,
               leader_registration_id = e.registration_id, leader_code = e.code, leader_rank = e.rank,
               leader_seq = e.seq, seq = e.seq, bids = bids + jsonb_array_length(p_entries), ends_at = e.ends_at,
               extensions = p_extensions, last_hash = e.hash, last_at = e.decided_at,
               version = version + jsonb_array_length(p_entries)
          FROM jsonb_to_record(p_entries -> -1) AS e (seq bigint, registration_id bigint, code text, rank bigint,
               amount_minor bigint, decided_at timestamptz, ends_at timestamptz, hash text)
         WHERE lot_id = p_lot;
    END IF;
    IF jsonb_array_length(p_refusals) > 0 THEN
        INSERT INTO bid_refusal (lot_id, registration_id, org_id, user_id, amount_minor, kind, code, params,
                                 received_at, decided_at, idempotency_key)
        SELECT p_lot, f.registration_id, f.org_id, f.user_id, f.amount_minor, f.kind, f.code, f.params,
               f.received_at, f.decided_at, f.idempotency_key
          FROM jsonb_to_recordset(p_refusals) AS f (registration_id bigint, org_id bigint, user_id bigint,
               amount_minor bigint, kind text, code text, params jsonb, received_at timestamptz,
               decided_at timestamptz, idempotency_key text);
    END IF;
END $$;
