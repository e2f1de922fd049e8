-- Duties (定期职责): what regulations ask for again and again, period by period.

-- One period of one duty of a regulation: everybody who owes it has the same due time. `after_id` is how far its
-- occurrences have been opened; the counts are kept, so that no page counts them.
CREATE TABLE duty_rounds (
    id BIGINT PRIMARY KEY,
    policy TEXT COLLATE "C" NOT NULL,
    version_id BIGINT NOT NULL REFERENCES policy_versions (id),
    duty TEXT COLLATE "C" NOT NULL,
    title TEXT NOT NULL,
    clause TEXT NOT NULL,
    per TEXT COLLATE "C" NOT NULL CHECK (per IN ('company', 'unit', 'person', 'customer')),
    every TEXT COLLATE "C" NOT NULL,
    period TEXT COLLATE "C" NOT NULL,
    period_title TEXT NOT NULL,
    evidence TEXT COLLATE "C" NOT NULL,
    starts_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    times BIGINT NOT NULL,
    target DOUBLE PRECISION,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('opening', 'open', 'closed')),
    after_id BIGINT NOT NULL DEFAULT 0,
    wakes_at BIGINT,
    warned BIGINT NOT NULL DEFAULT 0,
    total BIGINT NOT NULL DEFAULT 0,
    done BIGINT NOT NULL DEFAULT 0,
    late BIGINT NOT NULL DEFAULT 0,
    missed BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX duty_rounds_once ON duty_rounds (policy, duty, every, period);
CREATE INDEX duty_rounds_wakes ON duty_rounds (wakes_at) WHERE wakes_at IS NOT NULL;
CREATE INDEX duty_rounds_due ON duty_rounds (policy, due_at);

-- The same people do many duties: they are kept once.
CREATE TABLE duty_teams (
    id BIGINT PRIMARY KEY,
    digest TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX duty_teams_digest ON duty_teams (digest);
CREATE TABLE duty_team_people (
    team_id BIGINT NOT NULL REFERENCES duty_teams (id),
    person_id BIGINT NOT NULL,
    PRIMARY KEY (team_id, person_id)
);
CREATE INDEX duty_team_people_person ON duty_team_people (person_id, team_id);

-- What one unit, person or customer owes in a period. `subject_id` is 0 for the company.
CREATE TABLE duties (
    id BIGINT PRIMARY KEY,
    round_id BIGINT NOT NULL REFERENCES duty_rounds (id),
    subject_id BIGINT NOT NULL,
    unit_id BIGINT,
    team_id BIGINT NOT NULL REFERENCES duty_teams (id),
    told_id BIGINT REFERENCES duty_teams (id),
    due_at BIGINT NOT NULL,
    done BIGINT NOT NULL DEFAULT 0,
    done_at BIGINT,
    standing TEXT COLLATE "C" NOT NULL CHECK (standing IN ('open', 'done', 'late', 'missed'))
);
CREATE UNIQUE INDEX duties_once ON duties (round_id, subject_id);
CREATE INDEX duties_round ON duties (round_id, standing, id);
CREATE INDEX duties_subject ON duties (subject_id, standing);
CREATE INDEX duties_team ON duties (team_id, standing, due_at, id);
CREATE INDEX duties_due ON duties (standing, due_at, id);

-- What proved a duty: a case or an event counts for one period of a duty only.
CREATE TABLE duty_evidence (
    policy TEXT COLLATE "C" NOT NULL,
    duty TEXT COLLATE "C" NOT NULL,
    source_id BIGINT NOT NULL,
    duty_id BIGINT NOT NULL REFERENCES duties (id),
    at BIGINT NOT NULL,
    PRIMARY KEY (policy, duty, source_id)
);
CREATE INDEX duty_evidence_duty ON duty_evidence (duty_id, at);

-- When it was looked whether a period has begun, and when that has to be done next.
CREATE TABLE duty_clock (
    name TEXT COLLATE "C" PRIMARY KEY,
    looked_at BIGINT NOT NULL,
    looks_at BIGINT NOT NULL
);
