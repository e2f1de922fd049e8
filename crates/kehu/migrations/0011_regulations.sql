-- Regulations as files (制度), and the cases they are carried out on.

-- One version of a policy with the company's settings. Once published, its files and settings never change: cases keep
-- the version they were opened under.
CREATE TABLE policy_versions (
    id BIGINT PRIMARY KEY,
    policy TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    title TEXT NOT NULL,
    version TEXT NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('draft', 'published', 'discarded')),
    files TEXT NOT NULL,
    settings TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    effective_at BIGINT,
    retired_at BIGINT,
    published_at BIGINT,
    published_by BIGINT REFERENCES people (id),
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL REFERENCES people (id),
    updated_at BIGINT NOT NULL,
    updated_by BIGINT NOT NULL REFERENCES people (id),
    row_version BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX policy_versions_number ON policy_versions (policy, number);
CREATE INDEX policy_versions_state ON policy_versions (state, effective_at);

-- Who has read and accepted which version (知晓).
CREATE TABLE policy_acknowledgements (
    version_id BIGINT NOT NULL REFERENCES policy_versions (id),
    person_id BIGINT NOT NULL REFERENCES people (id),
    at BIGINT NOT NULL,
    PRIMARY KEY (version_id, person_id)
);

-- A case: one run of a form. `body` is the engine's; the columns beside it are what lists and timers ask for.
CREATE TABLE cases (
    id BIGINT PRIMARY KEY,
    policy TEXT COLLATE "C" NOT NULL,
    version_id BIGINT NOT NULL REFERENCES policy_versions (id),
    form TEXT COLLATE "C" NOT NULL,
    number TEXT NOT NULL,
    subject TEXT NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    step_title TEXT NOT NULL,
    is_open BOOLEAN NOT NULL,
    outcome TEXT NOT NULL DEFAULT '',
    marks TEXT NOT NULL DEFAULT '',
    customer_id BIGINT REFERENCES customers (id),
    unit_id BIGINT,
    owner_id BIGINT,
    creator_id BIGINT,
    parent_id BIGINT,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    due_at BIGINT,
    wakes_at BIGINT,
    body TEXT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX cases_number ON cases (form, number);
CREATE INDEX cases_form ON cases (form, is_open, id);
CREATE INDEX cases_customer ON cases (customer_id, id);
CREATE INDEX cases_unit ON cases (unit_id, form, id);
CREATE INDEX cases_due ON cases (is_open, due_at, id);
CREATE INDEX cases_wakes ON cases (wakes_at) WHERE wakes_at IS NOT NULL;
CREATE INDEX cases_parent ON cases (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX cases_opened ON cases (form, opened_at);
CREATE INDEX cases_closed ON cases (form, closed_at);

-- Who takes part in a case and therefore reads it, or must never see it (`excluded`, 回避).
CREATE TABLE case_people (
    case_id BIGINT NOT NULL REFERENCES cases (id),
    person_id BIGINT NOT NULL,
    part TEXT COLLATE "C" NOT NULL CHECK (part IN ('takes_part', 'reads', 'excluded')),
    PRIMARY KEY (case_id, person_id, part)
);
CREATE INDEX case_people_person ON case_people (person_id, part, case_id);

-- What waits for somebody: to act, to decide, to take note of (抄送).
CREATE TABLE case_tasks (
    id BIGINT PRIMARY KEY,
    case_id BIGINT NOT NULL REFERENCES cases (id),
    person_id BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('act', 'decide', 'copy')),
    step TEXT COLLATE "C" NOT NULL,
    step_title TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    done_at BIGINT,
    done_by BIGINT
);
CREATE INDEX case_tasks_person ON case_tasks (person_id, kind, done_at, id);
CREATE INDEX case_tasks_case ON case_tasks (case_id, done_at);

-- What happened to a case, in order (全程留痕).
CREATE TABLE case_trail (
    id BIGINT PRIMARY KEY,
    case_id BIGINT NOT NULL REFERENCES cases (id),
    at BIGINT NOT NULL,
    actor_id BIGINT,
    kind TEXT COLLATE "C" NOT NULL,
    text TEXT NOT NULL,
    clause TEXT NOT NULL DEFAULT ''
);
CREATE INDEX case_trail_case ON case_trail (case_id, id);

-- Values of choices, people, units and records of a case, for "the same cause in the same department".
CREATE TABLE case_values (
    case_id BIGINT NOT NULL REFERENCES cases (id),
    form TEXT COLLATE "C" NOT NULL,
    field TEXT COLLATE "C" NOT NULL,
    value TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    PRIMARY KEY (case_id, field)
);
CREATE INDEX case_values_value ON case_values (form, field, value, case_id);

-- How each deadline of a case stands: what compliance counts.
CREATE TABLE case_deadlines (
    case_id BIGINT NOT NULL REFERENCES cases (id),
    deadline TEXT COLLATE "C" NOT NULL,
    title TEXT NOT NULL,
    clause TEXT NOT NULL,
    policy TEXT COLLATE "C" NOT NULL,
    unit_id BIGINT,
    starts_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    standing TEXT COLLATE "C" NOT NULL CHECK (standing IN ('running', 'met', 'breached')),
    met_at BIGINT,
    paused_at BIGINT,
    PRIMARY KEY (case_id, deadline)
);
CREATE INDEX case_deadlines_clause ON case_deadlines (policy, clause, due_at);
CREATE INDEX case_deadlines_due ON case_deadlines (standing, due_at);

-- What people are told: comes near, passed, urged, copied.
CREATE TABLE notices (
    id BIGINT PRIMARY KEY,
    person_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    text TEXT NOT NULL,
    clause TEXT NOT NULL DEFAULT '',
    policy TEXT COLLATE "C" NOT NULL DEFAULT '',
    case_id BIGINT,
    read_at BIGINT
);
CREATE INDEX notices_person ON notices (person_id, read_at, id);

-- Penalties a policy proposes and somebody confirms.
CREATE TABLE penalties (
    id BIGINT PRIMARY KEY,
    policy TEXT COLLATE "C" NOT NULL,
    penalty TEXT COLLATE "C" NOT NULL,
    title TEXT NOT NULL,
    clause TEXT NOT NULL,
    person_id BIGINT NOT NULL,
    case_id BIGINT NOT NULL REFERENCES cases (id),
    at BIGINT NOT NULL,
    month TEXT COLLATE "C" NOT NULL,
    measure TEXT COLLATE "C" NOT NULL CHECK (measure IN ('money', 'points')),
    amount BIGINT NOT NULL,
    count BIGINT NOT NULL,
    factor DOUBLE PRECISION NOT NULL,
    times BIGINT NOT NULL,
    appeal_until BIGINT,
    state TEXT COLLATE "C" NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'confirmed', 'cancelled')),
    decided_by BIGINT,
    decided_at BIGINT,
    note TEXT NOT NULL DEFAULT ''
);
CREATE INDEX penalties_person ON penalties (person_id, month, penalty);
CREATE INDEX penalties_case ON penalties (case_id);

-- Who was exempted from which refusal, by whom, why, until when.
CREATE TABLE exemptions (
    id BIGINT PRIMARY KEY,
    policy TEXT COLLATE "C" NOT NULL,
    refusal TEXT COLLATE "C" NOT NULL,
    clause TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    reason TEXT NOT NULL,
    given_by BIGINT NOT NULL REFERENCES people (id),
    given_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX exemptions_subject ON exemptions (subject_id, policy, refusal);

-- What was refused, by clause: compliance counts it.
CREATE TABLE refusals (
    id BIGINT PRIMARY KEY,
    policy TEXT COLLATE "C" NOT NULL,
    refusal TEXT COLLATE "C" NOT NULL,
    clause TEXT NOT NULL,
    person_id BIGINT,
    unit_id BIGINT,
    subject_id BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX refusals_clause ON refusals (policy, clause, at);

-- What an event tells beside its object: the former owner of a customer.
ALTER TABLE events ADD COLUMN facts TEXT NOT NULL DEFAULT '';

-- How far the outbox has been read by regulations.
CREATE TABLE outbox_readers (
    reader TEXT COLLATE "C" PRIMARY KEY,
    event_id BIGINT NOT NULL
);

-- Running numbers of cases: series by form and period, and the last one given.
CREATE TABLE case_numbers (
    series TEXT COLLATE "C" PRIMARY KEY,
    last BIGINT NOT NULL
);
