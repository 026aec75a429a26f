-- Append-only truth (law 5): rows of these tables are written once.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON event
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER right_change_append_only BEFORE UPDATE OR DELETE ON right_change
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER stored_file_append_only BEFORE UPDATE OR DELETE ON stored_file
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
