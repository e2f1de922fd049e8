-- Which columns of a file a person matched is his own; and when an import done by the command line was last heard of.
DROP TABLE import_mappings;
CREATE TABLE import_mappings (
    person_id BIGINT NOT NULL,
    object TEXT COLLATE "C" NOT NULL,
    header_key TEXT COLLATE "C" NOT NULL,
    field TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, object, header_key)
);
ALTER TABLE imports ADD COLUMN heard_at BIGINT;
