-- What was done to cases, with what was filled, so that a draft of a regulation can be tried on it before it is published.
-- Cases opened before this have none; a case without its opening is not replayed.
CREATE TABLE case_deeds (
    id BIGINT PRIMARY KEY,
    case_id BIGINT NOT NULL REFERENCES cases (id),
    at BIGINT NOT NULL,
    actor_id BIGINT,
    body TEXT NOT NULL
);
CREATE INDEX case_deeds_case ON case_deeds (case_id, id);
