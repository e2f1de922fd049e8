-- The register of those who handle customer information, the text they sign in its versions, and who signed which.
-- Rows end and are never removed: who was registered when must be told years later.

CREATE TABLE confidentiality_texts (
    version BIGINT PRIMARY KEY,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    published_by BIGINT NOT NULL
);

CREATE TABLE information_handlers (
    id BIGINT PRIMARY KEY,
    person_id BIGINT NOT NULL REFERENCES people (id),
    note TEXT NOT NULL DEFAULT '',
    registered_at BIGINT NOT NULL,
    registered_by BIGINT NOT NULL,
    ended_at BIGINT,
    ended_by BIGINT
);
CREATE UNIQUE INDEX information_handlers_person_id_key ON information_handlers (person_id) WHERE ended_at IS NULL;

CREATE TABLE confidentiality_signatures (
    person_id BIGINT NOT NULL REFERENCES people (id),
    version BIGINT NOT NULL REFERENCES confidentiality_texts (version),
    name TEXT NOT NULL,
    signed_at BIGINT NOT NULL,
    ip TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (person_id, version)
);

-- The last day on which somebody exercised a role of his. Written in batches; a day is exact enough for reviews.
CREATE TABLE role_uses (
    person_id BIGINT NOT NULL,
    role_id BIGINT NOT NULL,
    used_on TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (person_id, role_id)
);

-- When somebody last confirmed that a post shall bring its holder a role; of roles given directly person_roles tells it.
CREATE TABLE position_role_reviews (
    position_id BIGINT NOT NULL,
    role_id BIGINT NOT NULL,
    confirmed_at BIGINT NOT NULL,
    confirmed_by BIGINT NOT NULL,
    PRIMARY KEY (position_id, role_id)
);
