-- The ground floor: company, people, audit, customers and what hangs on them, files, jobs, imports.
-- Times are milliseconds since 1970 (UTC), dates are text YYYY-MM-DD, empty text means "not known".

CREATE TABLE company (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    installation_id TEXT NOT NULL,
    is_demo BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL
);

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT
);

CREATE TABLE people (
    id BIGINT PRIMARY KEY,
    username TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    name_search TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    phone TEXT NOT NULL DEFAULT '',
    email TEXT NOT NULL DEFAULT '',
    role TEXT NOT NULL CHECK (role IN ('administrator', 'staff')),
    data_scope TEXT NOT NULL CHECK (data_scope IN ('all', 'own')),
    password_hash TEXT NOT NULL,
    must_change_password BOOLEAN NOT NULL DEFAULT FALSE,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    security_stamp BIGINT NOT NULL,
    lang TEXT NOT NULL DEFAULT 'zh',
    last_login_at BIGINT,
    last_login_ip TEXT NOT NULL DEFAULT '',
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX people_username_key ON people (username);

CREATE TABLE sessions (
    id BIGINT PRIMARY KEY,
    token_hash TEXT COLLATE "C" NOT NULL,
    person_id BIGINT NOT NULL REFERENCES people (id),
    security_stamp BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    ip TEXT NOT NULL DEFAULT '',
    device TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX sessions_token_hash_key ON sessions (token_hash);
CREATE INDEX sessions_person ON sessions (person_id, seen_at);
CREATE INDEX sessions_ends ON sessions (ends_at);

CREATE TABLE known_devices (
    device_hash TEXT COLLATE "C" NOT NULL,
    person_id BIGINT NOT NULL REFERENCES people (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (device_hash, person_id)
);

CREATE TABLE api_tokens (
    id BIGINT PRIMARY KEY,
    token_hash TEXT COLLATE "C" NOT NULL,
    person_id BIGINT NOT NULL REFERENCES people (id),
    security_stamp BIGINT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX api_tokens_token_hash_key ON api_tokens (token_hash);
CREATE INDEX api_tokens_person ON api_tokens (person_id);

CREATE TABLE login_throttle (
    subject TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL
);

CREATE TABLE audit_heads (
    chain BIGINT PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);

CREATE TABLE audit_log (
    id BIGINT PRIMARY KEY,
    chain BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor_id BIGINT NOT NULL,
    actor_name TEXT NOT NULL,
    via TEXT NOT NULL,
    ip TEXT NOT NULL,
    request_id TEXT NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    object TEXT COLLATE "C" NOT NULL,
    object_id BIGINT NOT NULL,
    customer_id BIGINT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    result TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE UNIQUE INDEX audit_log_chain_seq_key ON audit_log (chain, seq);
CREATE INDEX audit_log_customer ON audit_log (customer_id, id) WHERE customer_id <> 0;
CREATE INDEX audit_log_object ON audit_log (object, object_id, id);
CREATE INDEX audit_log_actor ON audit_log (actor_id, id);
CREATE INDEX audit_log_action ON audit_log (action, id);

CREATE TABLE events (
    id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    object TEXT COLLATE "C" NOT NULL,
    object_id BIGINT NOT NULL,
    customer_id BIGINT NOT NULL,
    actor_id BIGINT NOT NULL
);

CREATE TABLE counters (
    name TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    owner_id BIGINT NOT NULL,
    slot BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (name, owner_id, key, slot)
);

CREATE TABLE number_series (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    next BIGINT NOT NULL
);

CREATE TABLE number_blocks (
    name TEXT COLLATE "C" NOT NULL,
    slot BIGINT NOT NULL,
    next BIGINT NOT NULL,
    ends_before BIGINT NOT NULL,
    length BIGINT NOT NULL,
    taken_at BIGINT NOT NULL,
    PRIMARY KEY (name, slot)
);

CREATE TABLE idempotency (
    person_id BIGINT NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    request_hash TEXT NOT NULL,
    status BIGINT NOT NULL,
    reply TEXT NOT NULL,
    etag TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, key)
);
CREATE INDEX idempotency_created ON idempotency (created_at);

CREATE TABLE dictionaries (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    zh TEXT NOT NULL,
    en TEXT NOT NULL,
    is_scheme BOOLEAN NOT NULL,
    is_multiple BOOLEAN NOT NULL,
    is_system BOOLEAN NOT NULL,
    applies_to TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    position BIGINT NOT NULL
);

CREATE TABLE dictionary_entries (
    id BIGINT PRIMARY KEY,
    dictionary TEXT COLLATE "C" NOT NULL REFERENCES dictionaries (name),
    code TEXT COLLATE "C" NOT NULL,
    zh TEXT NOT NULL,
    en TEXT NOT NULL,
    definition TEXT NOT NULL DEFAULT '',
    colour TEXT NOT NULL DEFAULT '',
    position BIGINT NOT NULL,
    is_active BOOLEAN NOT NULL DEFAULT TRUE
);
CREATE UNIQUE INDEX dictionary_entries_dictionary_code_key ON dictionary_entries (dictionary, code);

CREATE TABLE custom_fields (
    id BIGINT PRIMARY KEY,
    object TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    title TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('text', 'long_text', 'number', 'date', 'choice', 'choices', 'yes_no')),
    choices JSONB NOT NULL,
    applies_to TEXT NOT NULL DEFAULT '',
    help TEXT NOT NULL DEFAULT '',
    is_required BOOLEAN NOT NULL DEFAULT FALSE,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    position BIGINT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX custom_fields_object_key_key ON custom_fields (object, key);

CREATE TABLE service_strategies (
    id BIGINT PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('', 'person', 'organisation')),
    class TEXT COLLATE "C" NOT NULL,
    level TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    needs TEXT NOT NULL,
    content TEXT NOT NULL,
    rhythm_days BIGINT NOT NULL,
    channel TEXT NOT NULL,
    post TEXT NOT NULL,
    valid_from TEXT COLLATE "C" NOT NULL,
    note TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX service_strategies_kind_class_level_key ON service_strategies (kind, class, level) WHERE deleted_at IS NULL;

CREATE TABLE customers (
    id BIGINT PRIMARY KEY,
    number TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('person', 'organisation')),
    owner_id BIGINT REFERENCES people (id),
    unit_id BIGINT,
    name TEXT NOT NULL,
    name_sort TEXT COLLATE "C" NOT NULL,
    short_name TEXT NOT NULL DEFAULT '',
    class TEXT COLLATE "C" NOT NULL DEFAULT '',
    level TEXT COLLATE "C" NOT NULL DEFAULT '',
    nature TEXT COLLATE "C" NOT NULL DEFAULT '',
    parent_organisation TEXT NOT NULL DEFAULT '',
    industry TEXT COLLATE "C" NOT NULL DEFAULT '',
    credit_code TEXT NOT NULL DEFAULT '',
    id_number TEXT NOT NULL DEFAULT '',
    gender TEXT NOT NULL DEFAULT '',
    birthday TEXT COLLATE "C" NOT NULL DEFAULT '',
    phone TEXT NOT NULL DEFAULT '',
    landline TEXT NOT NULL DEFAULT '',
    fax TEXT NOT NULL DEFAULT '',
    email TEXT NOT NULL DEFAULT '',
    website TEXT NOT NULL DEFAULT '',
    wechat TEXT NOT NULL DEFAULT '',
    region TEXT COLLATE "C" NOT NULL DEFAULT '',
    province TEXT COLLATE "C" NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    postcode TEXT NOT NULL DEFAULT '',
    credit_status TEXT NOT NULL DEFAULT '',
    source TEXT COLLATE "C" NOT NULL DEFAULT '',
    business_traits TEXT NOT NULL DEFAULT '',
    needs TEXT NOT NULL DEFAULT '',
    remark TEXT NOT NULL DEFAULT '',
    first_contact_on TEXT COLLATE "C" NOT NULL DEFAULT '',
    next_contact_on TEXT COLLATE "C" NOT NULL DEFAULT '',
    tags JSONB NOT NULL DEFAULT '[]',
    custom JSONB NOT NULL DEFAULT '{}',
    completeness BIGINT NOT NULL,
    last_activity_at BIGINT,
    open_needs BIGINT NOT NULL DEFAULT 0,
    import_id BIGINT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT NOT NULL,
    deleted_at BIGINT,
    deleted_by BIGINT
);
CREATE UNIQUE INDEX customers_number_key ON customers (number);
CREATE INDEX customers_updated ON customers (updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX customers_created ON customers (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX customers_name ON customers (name_sort, id) WHERE deleted_at IS NULL;
CREATE INDEX customers_owner_updated ON customers (owner_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX customers_class_updated ON customers (class, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX customers_owner_class_updated ON customers (owner_id, class, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX customers_level_updated ON customers (level, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX customers_province_updated ON customers (province, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX customers_next_contact ON customers (owner_id, next_contact_on) WHERE deleted_at IS NULL AND next_contact_on <> '';
CREATE INDEX customers_open_needs ON customers (owner_id, id) WHERE deleted_at IS NULL AND open_needs > 0;
CREATE INDEX customers_deleted ON customers (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX customers_import ON customers (import_id) WHERE import_id IS NOT NULL;

CREATE TABLE customer_keys (
    kind TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    customer_id BIGINT NOT NULL REFERENCES customers (id),
    PRIMARY KEY (kind, key, customer_id)
);
CREATE INDEX customer_keys_customer ON customer_keys (customer_id);

CREATE TABLE customer_marks (
    customer_id BIGINT NOT NULL REFERENCES customers (id),
    scheme TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    set_at BIGINT NOT NULL,
    set_by BIGINT NOT NULL,
    PRIMARY KEY (customer_id, scheme, value)
);
CREATE INDEX customer_marks_value ON customer_marks (scheme, value, customer_id);

CREATE TABLE contacts (
    id BIGINT PRIMARY KEY,
    customer_id BIGINT NOT NULL REFERENCES customers (id),
    name TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    department TEXT NOT NULL DEFAULT '',
    phone TEXT NOT NULL DEFAULT '',
    landline TEXT NOT NULL DEFAULT '',
    email TEXT NOT NULL DEFAULT '',
    wechat TEXT NOT NULL DEFAULT '',
    birthday TEXT NOT NULL DEFAULT '',
    remark TEXT NOT NULL DEFAULT '',
    is_primary BOOLEAN NOT NULL DEFAULT FALSE,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX contacts_customer ON contacts (customer_id, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_updated ON contacts (updated_at, id) WHERE deleted_at IS NULL;

CREATE TABLE assets (
    id BIGINT PRIMARY KEY,
    customer_id BIGINT NOT NULL REFERENCES customers (id),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('vehicle', 'room', 'meter', 'product')),
    name TEXT NOT NULL,
    code TEXT NOT NULL DEFAULT '',
    details JSONB NOT NULL DEFAULT '{}',
    started_on TEXT COLLATE "C" NOT NULL DEFAULT '',
    ends_on TEXT COLLATE "C" NOT NULL DEFAULT '',
    remark TEXT NOT NULL DEFAULT '',
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX assets_customer ON assets (customer_id, id) WHERE deleted_at IS NULL;
CREATE INDEX assets_updated ON assets (updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX assets_kind ON assets (kind, updated_at, id) WHERE deleted_at IS NULL;

CREATE TABLE activities (
    id BIGINT PRIMARY KEY,
    customer_id BIGINT NOT NULL REFERENCES customers (id),
    contact_id BIGINT REFERENCES contacts (id),
    kind TEXT COLLATE "C" NOT NULL,
    direction TEXT NOT NULL DEFAULT '',
    subject TEXT NOT NULL,
    body TEXT NOT NULL DEFAULT '',
    result TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL DEFAULT '',
    effect TEXT NOT NULL DEFAULT '',
    happened_at BIGINT NOT NULL,
    done_at BIGINT,
    done_by BIGINT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX activities_customer ON activities (customer_id, happened_at, id) WHERE deleted_at IS NULL;
CREATE INDEX activities_happened ON activities (happened_at, id) WHERE deleted_at IS NULL;
CREATE INDEX activities_open_needs ON activities (customer_id) WHERE kind = 'need' AND done_at IS NULL AND deleted_at IS NULL;
CREATE INDEX activities_author ON activities (created_by, happened_at, id) WHERE deleted_at IS NULL;

CREATE TABLE files (
    id BIGINT PRIMARY KEY,
    customer_id BIGINT REFERENCES customers (id),
    object TEXT COLLATE "C" NOT NULL,
    object_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    stored_as TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    deleted_at BIGINT,
    purged_at BIGINT
);
CREATE UNIQUE INDEX files_stored_as_key ON files (stored_as);
CREATE INDEX files_customer ON files (customer_id, id) WHERE deleted_at IS NULL;
CREATE INDEX files_object ON files (object, object_id, id);
CREATE INDEX files_deleted ON files (deleted_at) WHERE deleted_at IS NOT NULL AND purged_at IS NULL;

CREATE TABLE jobs (
    id BIGINT PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    subject_id BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'dead')),
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    worker TEXT NOT NULL DEFAULT '',
    last_error TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX jobs_due ON jobs (state, run_at) WHERE state IN ('waiting', 'running');

CREATE TABLE imports (
    id BIGINT PRIMARY KEY,
    object TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('uploaded', 'checking', 'checked', 'running', 'done', 'cancelled', 'failed', 'undoing', 'undone')),
    file_id BIGINT NOT NULL REFERENCES files (id),
    file_name TEXT NOT NULL,
    file_hash TEXT NOT NULL,
    header JSONB NOT NULL DEFAULT '{}',
    sample JSONB NOT NULL DEFAULT '[]',
    mapping JSONB NOT NULL DEFAULT '[]',
    on_duplicate TEXT NOT NULL DEFAULT 'skip' CHECK (on_duplicate IN ('skip', 'update', 'create')),
    match_on JSONB NOT NULL DEFAULT '[]',
    owner_id BIGINT,
    is_dry_run BOOLEAN NOT NULL DEFAULT FALSE,
    report JSONB NOT NULL DEFAULT '{}',
    total BIGINT NOT NULL DEFAULT 0,
    read_rows BIGINT NOT NULL DEFAULT 0,
    created BIGINT NOT NULL DEFAULT 0,
    updated BIGINT NOT NULL DEFAULT 0,
    skipped BIGINT NOT NULL DEFAULT 0,
    failed BIGINT NOT NULL DEFAULT 0,
    last_row BIGINT NOT NULL DEFAULT 0,
    problem TEXT NOT NULL DEFAULT '',
    is_cancel_wanted BOOLEAN NOT NULL DEFAULT FALSE,
    via TEXT NOT NULL DEFAULT '',
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    undone_at BIGINT
);
CREATE INDEX imports_created ON imports (created_by, id);

CREATE TABLE import_rows (
    import_id BIGINT NOT NULL REFERENCES imports (id),
    row_number BIGINT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('created', 'updated', 'skipped', 'failed', 'kept', 'undone')),
    customer_id BIGINT,
    before TEXT NOT NULL DEFAULT '',
    version_after BIGINT NOT NULL DEFAULT 0,
    contact_id BIGINT,
    contact_outcome TEXT NOT NULL DEFAULT '' CHECK (contact_outcome IN ('', 'added', 'kept', 'undone')),
    cells TEXT NOT NULL DEFAULT '',
    problems TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (import_id, row_number)
);
CREATE INDEX import_rows_failed ON import_rows (import_id, row_number) WHERE outcome = 'failed';

CREATE TABLE import_mappings (
    object TEXT COLLATE "C" NOT NULL,
    header_key TEXT COLLATE "C" NOT NULL,
    field TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (object, header_key)
);

CREATE TABLE list_settings (
    person_id BIGINT NOT NULL REFERENCES people (id),
    list TEXT COLLATE "C" NOT NULL,
    settings JSONB NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, list)
);

CREATE TABLE saved_views (
    id BIGINT PRIMARY KEY,
    person_id BIGINT NOT NULL REFERENCES people (id),
    list TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    is_shared BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL
);
CREATE INDEX saved_views_list ON saved_views (list, person_id);

-- only sqlite
CREATE VIRTUAL TABLE search_docs USING fts5(body, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 0 tokenchars '_^'", prefix='1 2');
-- end
-- only postgres
CREATE TABLE search_docs (id BIGINT PRIMARY KEY, body tsvector NOT NULL);
CREATE INDEX search_docs_body ON search_docs USING gin (body) WITH (fastupdate = off);
-- end
