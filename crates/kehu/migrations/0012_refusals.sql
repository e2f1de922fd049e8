-- Refusals are counted: what was to be done, on what, about whom.
ALTER TABLE refusals ADD COLUMN what TEXT NOT NULL DEFAULT '';
-- Whether `subject_id` is a case; else it is a record of the application, or 0 when nothing was there yet.
ALTER TABLE refusals ADD COLUMN is_case BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE refusals ADD COLUMN customer_id BIGINT;
CREATE INDEX refusals_subject ON refusals (subject_id, at);
CREATE INDEX exemptions_clause ON exemptions (policy, given_at);
