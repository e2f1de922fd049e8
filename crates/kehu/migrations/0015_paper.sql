-- What was printed (打印记录): which record, which copies, by whom, for which time. The code stands on the paper.
CREATE TABLE prints (
    id BIGINT PRIMARY KEY,
    object TEXT COLLATE "C" NOT NULL,
    object_id BIGINT NOT NULL,
    title TEXT NOT NULL,
    copies TEXT NOT NULL,
    layout TEXT COLLATE "C" NOT NULL CHECK (layout IN ('pages', 'strips')),
    count BIGINT NOT NULL,
    at BIGINT NOT NULL,
    person_id BIGINT NOT NULL,
    code TEXT COLLATE "C" NOT NULL
);
CREATE INDEX prints_object ON prints (object, object_id, id);
CREATE UNIQUE INDEX prints_code ON prints (code);

-- Reports of regulations that were made (制表), with who reviewed them; what was counted stands in the body and changes
-- no more.
CREATE TABLE reports (
    id BIGINT PRIMARY KEY,
    policy TEXT COLLATE "C" NOT NULL,
    version_id BIGINT NOT NULL REFERENCES policy_versions (id),
    report TEXT COLLATE "C" NOT NULL,
    first_day TEXT COLLATE "C" NOT NULL,
    last_day TEXT COLLATE "C" NOT NULL,
    title TEXT NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('made', 'locked')),
    body TEXT NOT NULL,
    steps TEXT NOT NULL,
    made_by BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    locked_at BIGINT,
    row_version BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX reports_period ON reports (policy, report, first_day);

-- Reports nobody had made in time: told once.
CREATE TABLE report_reminders (
    policy TEXT COLLATE "C" NOT NULL,
    report TEXT COLLATE "C" NOT NULL,
    first_day TEXT COLLATE "C" NOT NULL,
    told_at BIGINT NOT NULL,
    PRIMARY KEY (policy, report, first_day)
);
