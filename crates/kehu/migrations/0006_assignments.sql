-- Tasks that people give to people and units (交办), and who answers for what in the company's processes (职责分工).

CREATE TABLE processes (
    id BIGINT PRIMARY KEY,
    code TEXT COLLATE "C" NOT NULL,
    title TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX processes_code_key ON processes (code) WHERE deleted_at IS NULL;

-- Who has which part: a unit (then `post` is empty) or whoever holds a post (then `unit_id` is 0).
CREATE TABLE process_duties (
    process_id BIGINT NOT NULL REFERENCES processes (id),
    unit_id BIGINT NOT NULL DEFAULT 0,
    post TEXT COLLATE "C" NOT NULL DEFAULT '',
    duty TEXT COLLATE "C" NOT NULL CHECK (duty IN ('responsible', 'accountable', 'consulted', 'informed')),
    PRIMARY KEY (process_id, unit_id, post, duty)
);
CREATE INDEX process_duties_unit ON process_duties (unit_id, duty);
CREATE INDEX process_duties_post ON process_duties (post, duty);

-- Given to a person, to a unit, or to whoever holds a post; `receiver_id` is who has it, NULL until somebody of the
-- unit or the post takes it. `answers_unit_id` is the unit whose figures it counts in, 0 for none.
CREATE TABLE assignments (
    id BIGINT PRIMARY KEY,
    title TEXT NOT NULL,
    body TEXT NOT NULL DEFAULT '',
    customer_id BIGINT REFERENCES customers (id),
    process_id BIGINT REFERENCES processes (id),
    giver_id BIGINT NOT NULL REFERENCES people (id),
    unit_id BIGINT REFERENCES units (id),
    post TEXT COLLATE "C" NOT NULL DEFAULT '',
    receiver_id BIGINT REFERENCES people (id),
    answers_unit_id BIGINT NOT NULL DEFAULT 0,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'taken', 'done', 'returned', 'withdrawn')),
    priority BIGINT NOT NULL CHECK (priority BETWEEN 1 AND 3),
    due_at BIGINT NOT NULL,
    is_due_by_day BOOLEAN NOT NULL,
    role_id BIGINT REFERENCES roles (id),
    reply TEXT NOT NULL DEFAULT '',
    given_at BIGINT NOT NULL,
    taken_at BIGINT,
    ended_at BIGINT,
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX assignments_receiver ON assignments (receiver_id, state, due_at, id);
CREATE INDEX assignments_giver ON assignments (giver_id, state, due_at, id);
CREATE INDEX assignments_unit ON assignments (unit_id, state, due_at, id);
CREATE INDEX assignments_post ON assignments (post, state, due_at, id) WHERE post <> '';
CREATE INDEX assignments_process ON assignments (process_id, state, due_at, id);
CREATE INDEX assignments_customer ON assignments (customer_id, id);
CREATE INDEX assignments_due ON assignments (state, due_at, id);

-- What happened to a task, step by step.
CREATE TABLE assignment_steps (
    id BIGINT PRIMARY KEY,
    assignment_id BIGINT NOT NULL REFERENCES assignments (id),
    at BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    by_id BIGINT NOT NULL,
    unit_id BIGINT,
    post TEXT COLLATE "C" NOT NULL DEFAULT '',
    receiver_id BIGINT,
    note TEXT NOT NULL DEFAULT ''
);
CREATE INDEX assignment_steps_assignment ON assignment_steps (assignment_id, id);

-- Grants are ended by what they were given for.
CREATE INDEX customer_grants_source ON customer_grants (source, source_id) WHERE revoked_at IS NULL;

-- How long the right on a customer outlives the due date of the task it was given for, and which bundle is offered
-- first; an administrator changes it in the pages.
INSERT INTO settings (name, value, updated_at) VALUES ('assignments', '{"grace_hours":72,"bundle":"share_read"}', 0);
