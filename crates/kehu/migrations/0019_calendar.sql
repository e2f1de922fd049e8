-- The company's own days off and working days, above the mainland's holidays, and the years whose arrangement it has entered
-- itself. A day whose mark was taken away keeps its row, so that a version never comes twice.
CREATE TABLE calendar_days (
    day TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('', 'rest', 'work')),
    name TEXT NOT NULL DEFAULT '',
    version BIGINT NOT NULL DEFAULT 1,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT NOT NULL
);

CREATE TABLE calendar_years (
    year BIGINT NOT NULL PRIMARY KEY,
    is_entered BOOLEAN NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT NOT NULL
);
