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
