-- What open cases say is found without those that have ended: these grow from year to year.
ALTER TABLE case_values ADD COLUMN is_open BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE case_values SET is_open = (SELECT k.is_open FROM cases k WHERE k.id = case_values.case_id);
DROP INDEX case_values_value;
CREATE INDEX case_values_value ON case_values (form, field, value, is_open, case_id);
-- Under which versions cases are still carried out, and which of these stand at a step.
CREATE INDEX cases_waiting ON cases (version_id, is_open, form, step, id);
