-- Why a reviewer sent a report back; until it is made anew nobody can agree to it.
ALTER TABLE reports ADD COLUMN returned TEXT NOT NULL DEFAULT '';
