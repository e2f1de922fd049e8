-- System maintenance: versions of settings, so that two administrators do not overwrite each other, and backups.

ALTER TABLE settings ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- A parameter's unit is that of its page.
UPDATE settings SET name = 'files.quota_mib', value = CAST(CAST(value AS BIGINT) / 1048576 AS TEXT) WHERE name = 'files.quota_bytes' AND value <> 'null';

CREATE TABLE backups (
    id BIGINT PRIMARY KEY,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    origin TEXT COLLATE "C" NOT NULL CHECK (origin IN ('manual', 'schedule', 'command')),
    file_name TEXT COLLATE "C" NOT NULL DEFAULT '',
    size BIGINT NOT NULL DEFAULT 0,
    customers BIGINT NOT NULL DEFAULT 0,
    attachments BIGINT NOT NULL DEFAULT 0,
    missing BIGINT NOT NULL DEFAULT 0,
    step TEXT COLLATE "C" NOT NULL DEFAULT '',
    progress BIGINT NOT NULL DEFAULT 0,
    total BIGINT NOT NULL DEFAULT 0,
    is_cancel_wanted BOOLEAN NOT NULL DEFAULT FALSE,
    problem TEXT NOT NULL DEFAULT '',
    verification TEXT COLLATE "C" NOT NULL DEFAULT '' CHECK (verification IN ('', 'waiting', 'ok', 'damaged', 'failed')),
    verified_at BIGINT,
    scheduled_for BIGINT,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    finished_at BIGINT,
    deleted_at BIGINT,
    version BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX backups_scheduled_for_key ON backups (scheduled_for);
CREATE INDEX backups_there ON backups (state, id) WHERE deleted_at IS NULL;
