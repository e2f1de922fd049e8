-- Reports to one's superior about problems and needs of customers, with suggestions (DU-06). `figures` is how much happened in the
-- period, as it was counted when the report was sent or corrected.
CREATE TABLE briefings (
    id BIGINT PRIMARY KEY,
    person_id BIGINT NOT NULL,
    superior_id BIGINT NOT NULL,
    starts_on TEXT COLLATE "C" NOT NULL,
    ends_on TEXT COLLATE "C" NOT NULL,
    figures JSONB NOT NULL,
    analysis TEXT NOT NULL,
    suggestions TEXT NOT NULL,
    sent_at BIGINT NOT NULL,
    read_at BIGINT,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX briefings_person_id_starts_on_ends_on_key ON briefings (person_id, starts_on, ends_on);
CREATE INDEX briefings_person ON briefings (person_id, id);
CREATE INDEX briefings_superior ON briefings (superior_id, id);
