-- Who asked for an import to be taken back: it is done with his rights, not with those of the one who imported, who may
-- have left.

ALTER TABLE imports ADD COLUMN undone_by BIGINT;
