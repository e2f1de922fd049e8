-- For whom a step of a task was done, when a delegate did it.

ALTER TABLE assignment_steps ADD COLUMN for_id BIGINT;
