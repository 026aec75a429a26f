CREATE TRIGGER ledger_transfer_append_only BEFORE UPDATE OR DELETE ON ledger_transfer
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Double entry (law 6): at commit the entries of a transfer sum to zero, in one currency, and are as many as the
-- transfer said, so that no transfer stands without entries and none gets more entries later. A post or void has
-- none of its own and follows a pending transfer (each once: unique pending_id).
CREATE FUNCTION check_ledger_transfer(wanted UUID) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    moved ledger_transfer%ROWTYPE;
    total NUMERIC;
    lines BIGINT;
    currencies BIGINT;
BEGIN
    SELECT * INTO moved FROM ledger_transfer WHERE id = wanted;
    SELECT COALESCE(SUM(e.amount_minor), 0), COUNT(*), COUNT(DISTINCT a.currency) INTO total, lines, currencies
      FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id WHERE e.transfer_id = wanted;
    IF total <> 0 OR currencies > 1 THEN
        RAISE EXCEPTION 'ledger transfer % does not balance', wanted USING ERRCODE = 'check_violation';
    END IF;
    IF lines <> moved.legs THEN
        RAISE EXCEPTION 'ledger transfer % has % entries instead of %', wanted, lines, moved.legs
            USING ERRCODE = 'check_violation';
    END IF;
    IF moved.pending_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM ledger_transfer p WHERE p.id = moved.pending_id AND p.phase = 'pending') THEN
        RAISE EXCEPTION 'ledger transfer % does not follow a pending one', wanted USING ERRCODE = 'check_violation';
    END IF;
END $$;

CREATE FUNCTION ledger_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'ledger_entry' THEN
        PERFORM check_ledger_transfer(NEW.transfer_id);
    ELSE
        PERFORM check_ledger_transfer(NEW.id);
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_entry_balanced AFTER INSERT ON ledger_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger_balanced();
CREATE CONSTRAINT TRIGGER ledger_transfer_balanced AFTER INSERT ON ledger_transfer DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger_balanced();
