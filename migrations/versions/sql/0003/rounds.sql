-- The status that transferees must prove is a term of the published notice like the others.
CREATE OR REPLACE FUNCTION refuse_change_of_published_listing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.published_at IS NOT NULL AND (
       NEW.number, NEW.notice_text, NEW.notice_sha256, NEW.published_at, NEW.profile_code, NEW.profile_version,
       NEW.start_minor, NEW.increment_minor, NEW.deposit_minor, NEW.balance_days, NEW.planned_opens_at,
       NEW.planned_ends_at, NEW.title, NEW.summary, NEW.known_defects, NEW.handover, NEW.taxes_and_fees,
       NEW.case_id, NEW.org_id, NEW.channel, NEW.warnings, NEW.qualification
     ) IS DISTINCT FROM (
       OLD.number, OLD.notice_text, OLD.notice_sha256, OLD.published_at, OLD.profile_code, OLD.profile_version,
       OLD.start_minor, OLD.increment_minor, OLD.deposit_minor, OLD.balance_days, OLD.planned_opens_at,
       OLD.planned_ends_at, OLD.title, OLD.summary, OLD.known_defects, OLD.handover, OLD.taxes_and_fees,
       OLD.case_id, OLD.org_id, OLD.channel, OLD.warnings, OLD.qualification
     ) THEN
    RAISE EXCEPTION 'a published listing is append-only';
  END IF;
  RETURN NEW;
END $$;

-- A round's published notice is fixed with its terms: the row is never changed or removed afterwards.
CREATE FUNCTION guard_listing_round() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state = 'published' THEN
    RAISE EXCEPTION 'a published round is append-only' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER listing_round_is_fixed_once_published BEFORE UPDATE OR DELETE ON listing_round
  FOR EACH ROW EXECUTE FUNCTION guard_listing_round();
