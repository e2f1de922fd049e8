-- The organisation and rights: units, posts, who holds them, roles, grants on single records.
-- Days are text YYYY-MM-DD; an empty last day means "until further notice".

CREATE TABLE units (
    id BIGINT PRIMARY KEY,
    parent_id BIGINT,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    code TEXT COLLATE "C" NOT NULL DEFAULT '',
    head_id BIGINT REFERENCES people (id),
    position BIGINT NOT NULL DEFAULT 0,
    opened_on TEXT COLLATE "C" NOT NULL,
    closed_on TEXT COLLATE "C" NOT NULL DEFAULT '',
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX units_parent ON units (parent_id, position);
CREATE UNIQUE INDEX units_code_key ON units (code) WHERE code <> '';

-- How a unit stood from a day on; one row a unit and day.
CREATE TABLE unit_history (
    unit_id BIGINT NOT NULL REFERENCES units (id),
    since TEXT COLLATE "C" NOT NULL,
    parent_id BIGINT,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    head_id BIGINT,
    is_closed BOOLEAN NOT NULL DEFAULT FALSE,
    changed_at BIGINT NOT NULL,
    changed_by BIGINT NOT NULL,
    PRIMARY KEY (unit_id, since)
);

-- Who holds which post where; ended ones stay as history.
CREATE TABLE positions (
    id BIGINT PRIMARY KEY,
    person_id BIGINT NOT NULL REFERENCES people (id),
    unit_id BIGINT NOT NULL REFERENCES units (id),
    post TEXT COLLATE "C" NOT NULL,
    is_main BOOLEAN NOT NULL,
    superior_id BIGINT REFERENCES people (id),
    starts_on TEXT COLLATE "C" NOT NULL,
    ends_on TEXT COLLATE "C" NOT NULL DEFAULT '',
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX positions_person ON positions (person_id, starts_on);
CREATE INDEX positions_unit ON positions (unit_id, starts_on);

CREATE TABLE delegations (
    id BIGINT PRIMARY KEY,
    from_id BIGINT NOT NULL REFERENCES people (id),
    to_id BIGINT NOT NULL REFERENCES people (id),
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX delegations_to ON delegations (to_id, ends_at);
CREATE INDEX delegations_from ON delegations (from_id, ends_at);

CREATE TABLE person_skills (
    person_id BIGINT NOT NULL REFERENCES people (id),
    skill TEXT COLLATE "C" NOT NULL,
    level BIGINT NOT NULL CHECK (level BETWEEN 1 AND 5),
    valid_until TEXT COLLATE "C" NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, skill)
);
CREATE INDEX person_skills_skill ON person_skills (skill, level);

CREATE TABLE absences (
    id BIGINT PRIMARY KEY,
    person_id BIGINT NOT NULL REFERENCES people (id),
    kind TEXT COLLATE "C" NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL
);
CREATE INDEX absences_person ON absences (person_id, ends_at);

-- Duty rosters (值班表) and who is on duty when. `opens` and `closes` (HH:MM) and the days of the week (1 is Monday)
-- say when somebody should be there.
CREATE TABLE rosters (
    id BIGINT PRIMARY KEY,
    unit_id BIGINT NOT NULL REFERENCES units (id),
    name TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    opens TEXT COLLATE "C" NOT NULL DEFAULT '',
    closes TEXT COLLATE "C" NOT NULL DEFAULT '',
    weekdays TEXT COLLATE "C" NOT NULL DEFAULT '1234567',
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX rosters_unit_id_name_key ON rosters (unit_id, name);

CREATE TABLE shifts (
    id BIGINT PRIMARY KEY,
    roster_id BIGINT NOT NULL REFERENCES rosters (id),
    person_id BIGINT NOT NULL REFERENCES people (id),
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX shifts_roster ON shifts (roster_id, starts_at);
CREATE INDEX shifts_person ON shifts (person_id, starts_at);

-- Roles, and bundles: what a collaborator gets on one customer.
CREATE TABLE roles (
    id BIGINT PRIMARY KEY,
    code TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    is_bundle BOOLEAN NOT NULL DEFAULT FALSE,
    is_builtin BOOLEAN NOT NULL DEFAULT FALSE,
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX roles_code_key ON roles (code) WHERE deleted_at IS NULL;

CREATE TABLE role_grants (
    role_id BIGINT NOT NULL REFERENCES roles (id),
    object TEXT COLLATE "C" NOT NULL,
    verb TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    units JSONB NOT NULL,
    condition TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (role_id, object, verb)
);

CREATE TABLE role_fields (
    role_id BIGINT NOT NULL REFERENCES roles (id),
    object TEXT COLLATE "C" NOT NULL,
    field TEXT COLLATE "C" NOT NULL,
    rule TEXT COLLATE "C" NOT NULL CHECK (rule IN ('hidden', 'masked', 'read')),
    PRIMARY KEY (role_id, object, field)
);

-- Roles that come with a post.
CREATE TABLE post_roles (
    post TEXT COLLATE "C" NOT NULL,
    role_id BIGINT NOT NULL REFERENCES roles (id),
    granted_at BIGINT NOT NULL,
    granted_by BIGINT NOT NULL,
    PRIMARY KEY (post, role_id)
);

-- Roles a person has himself; unit 0 stands for the units he works in.
CREATE TABLE person_roles (
    person_id BIGINT NOT NULL REFERENCES people (id),
    role_id BIGINT NOT NULL REFERENCES roles (id),
    unit_id BIGINT NOT NULL DEFAULT 0,
    ends_on TEXT COLLATE "C" NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    granted_at BIGINT NOT NULL,
    granted_by BIGINT NOT NULL,
    confirmed_at BIGINT,
    confirmed_by BIGINT,
    PRIMARY KEY (person_id, role_id, unit_id)
);
CREATE INDEX person_roles_role ON person_roles (role_id);

-- What one person may do with one customer beyond his roles: shares, open approvals, tasks.
CREATE TABLE customer_grants (
    id BIGINT PRIMARY KEY,
    customer_id BIGINT NOT NULL REFERENCES customers (id),
    person_id BIGINT NOT NULL REFERENCES people (id),
    role_id BIGINT NOT NULL REFERENCES roles (id),
    source TEXT COLLATE "C" NOT NULL,
    source_id BIGINT NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    granted_at BIGINT NOT NULL,
    granted_by BIGINT NOT NULL,
    revoked_at BIGINT,
    revoked_by BIGINT
);
CREATE INDEX customer_grants_person ON customer_grants (person_id, ends_at) WHERE revoked_at IS NULL;
CREATE INDEX customer_grants_customer ON customer_grants (customer_id, id);

-- People who must not take part in a customer's record (回避).
CREATE TABLE customer_exclusions (
    customer_id BIGINT NOT NULL REFERENCES customers (id),
    person_id BIGINT NOT NULL REFERENCES people (id),
    reason TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    PRIMARY KEY (customer_id, person_id)
);
CREATE INDEX customer_exclusions_person ON customer_exclusions (person_id);

-- Moves on with every change of organisation or rights, so that every server reads them anew.
CREATE TABLE rights_state (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    epoch BIGINT NOT NULL
);
INSERT INTO rights_state (id, epoch) VALUES (1, 1);

-- The roles every company begins with. The administrator's needs no grants: whoever has it may do everything.
INSERT INTO roles (id, code, name, note, is_bundle, is_builtin, created_at, created_by, updated_at, updated_by)
VALUES (1, 'administrator', '系统管理员', '可以使用全部功能、查看全部数据', FALSE, TRUE, 0, 0, 0, 0),
       (2, 'staff', '员工（本人客户）', '查看和维护本人负责的客户', FALSE, TRUE, 0, 0, 0, 0),
       (3, 'staff_all', '员工（全部客户）', '查看和维护全部客户', FALSE, TRUE, 0, 0, 0, 0),
       (4, 'share_read', '共享：只看', '协作人可以查看这个客户及其联系人、资产、跟进和附件', TRUE, TRUE, 0, 0, 0, 0),
       (5, 'share_work', '共享：协作', '协作人可以查看这个客户，并维护联系人、资产、跟进和附件', TRUE, TRUE, 0, 0, 0, 0);
INSERT INTO role_grants (role_id, object, verb, scope, units)
VALUES (2, 'customer', 'read', 'own', '[]'),
       (2, 'customer', 'create', 'own', '[]'),
       (2, 'customer', 'update', 'own', '[]'),
       (2, 'customer', 'export', 'own', '[]'),
       (2, 'customer', 'import', 'all', '[]'),
       (2, 'contact', 'read', 'own', '[]'),
       (2, 'contact', 'update', 'own', '[]'),
       (2, 'asset', 'read', 'own', '[]'),
       (2, 'asset', 'update', 'own', '[]'),
       (2, 'activity', 'read', 'own', '[]'),
       (2, 'activity', 'update', 'own', '[]'),
       (2, 'file', 'read', 'own', '[]'),
       (2, 'file', 'update', 'own', '[]'),
       (3, 'customer', 'read', 'all', '[]'),
       (3, 'customer', 'create', 'all', '[]'),
       (3, 'customer', 'update', 'all', '[]'),
       (3, 'customer', 'export', 'all', '[]'),
       (3, 'customer', 'import', 'all', '[]'),
       (3, 'contact', 'read', 'all', '[]'),
       (3, 'contact', 'update', 'all', '[]'),
       (3, 'asset', 'read', 'all', '[]'),
       (3, 'asset', 'update', 'all', '[]'),
       (3, 'activity', 'read', 'all', '[]'),
       (3, 'activity', 'update', 'all', '[]'),
       (3, 'file', 'read', 'all', '[]'),
       (3, 'file', 'update', 'all', '[]'),
       (4, 'customer', 'read', 'all', '[]'),
       (4, 'contact', 'read', 'all', '[]'),
       (4, 'asset', 'read', 'all', '[]'),
       (4, 'activity', 'read', 'all', '[]'),
       (4, 'file', 'read', 'all', '[]'),
       (5, 'customer', 'read', 'all', '[]'),
       (5, 'contact', 'read', 'all', '[]'),
       (5, 'asset', 'read', 'all', '[]'),
       (5, 'activity', 'read', 'all', '[]'),
       (5, 'file', 'read', 'all', '[]'),
       (5, 'contact', 'update', 'all', '[]'),
       (5, 'asset', 'update', 'all', '[]'),
       (5, 'activity', 'update', 'all', '[]'),
       (5, 'file', 'update', 'all', '[]');

INSERT INTO person_roles (person_id, role_id, granted_at, granted_by)
SELECT id, CASE WHEN role = 'administrator' THEN 1 WHEN data_scope = 'all' THEN 3 ELSE 2 END, created_at, 0 FROM people;

ALTER TABLE people DROP COLUMN role;
ALTER TABLE people DROP COLUMN data_scope;
ALTER TABLE people ADD COLUMN left_on TEXT NOT NULL DEFAULT '';

-- Kept counts are told apart by unit as well; 0 stands for "whichever unit".
CREATE TABLE counters_before AS SELECT name, key, owner_id, slot, n FROM counters;
DROP TABLE counters;
CREATE TABLE counters (
    name TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    owner_id BIGINT NOT NULL,
    unit_id BIGINT NOT NULL,
    slot BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (name, owner_id, unit_id, key, slot)
);
INSERT INTO counters (name, key, owner_id, unit_id, slot, n) SELECT name, key, owner_id, 0, slot, n FROM counters_before;
DROP TABLE counters_before;

DROP INDEX customers_updated;
CREATE INDEX customers_updated ON customers (updated_at, id, owner_id, unit_id) WHERE deleted_at IS NULL;
CREATE INDEX customers_unit_updated ON customers (unit_id, updated_at, id) WHERE deleted_at IS NULL;
