-- Rosters are planned as drafts and published to staff; shifts are swapped between colleagues; skills are assessed.

-- A roster may ask for a skill of the dictionary, for hours of rest before and after another shift (0: none), and says
-- how shifts are swapped: `off`, `free` (the colleague's yes is enough) or `approve` (whoever plans it agrees too).
ALTER TABLE rosters ADD COLUMN skill TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE rosters ADD COLUMN rest_hours BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rosters ADD COLUMN swaps TEXT COLLATE "C" NOT NULL DEFAULT 'approve';

-- A shift is a draft until it is published; `changed_at` says when it was changed after that. What there was before
-- everybody could see.
ALTER TABLE shifts ADD COLUMN published_at BIGINT;
ALTER TABLE shifts ADD COLUMN changed_at BIGINT;
UPDATE shifts SET published_at = created_at;

-- What became of published shifts after publishing, told to the people concerned. A shift may be gone by now; without
-- a new person nobody has it any more.
CREATE TABLE shift_changes (
    id BIGINT PRIMARY KEY,
    roster_id BIGINT NOT NULL REFERENCES rosters (id),
    shift_id BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    person_id BIGINT NOT NULL REFERENCES people (id),
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    new_person_id BIGINT REFERENCES people (id),
    new_starts_at BIGINT NOT NULL,
    new_ends_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by BIGINT NOT NULL
);
CREATE INDEX shift_changes_roster ON shift_changes (roster_id, starts_at);
CREATE INDEX shift_changes_person ON shift_changes (person_id, changed_at);
CREATE INDEX shift_changes_new_person ON shift_changes (new_person_id, changed_at);

-- Until when somebody has seen what became of his shifts.
CREATE TABLE duty_seen (
    person_id BIGINT PRIMARY KEY REFERENCES people (id),
    seen_at BIGINT NOT NULL
);

-- Somebody asks a colleague to take a shift, or to take it for one of his own (换班). The times are those at asking: a
-- shift that was changed meanwhile is not swapped.
CREATE TABLE swaps (
    id BIGINT PRIMARY KEY,
    roster_id BIGINT NOT NULL REFERENCES rosters (id),
    shift_id BIGINT NOT NULL,
    from_id BIGINT NOT NULL REFERENCES people (id),
    to_id BIGINT NOT NULL REFERENCES people (id),
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    other_shift_id BIGINT,
    other_starts_at BIGINT NOT NULL,
    other_ends_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    note TEXT NOT NULL,
    answer TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    answered_at BIGINT,
    decided_at BIGINT,
    decided_by BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX swaps_shift_id_to_id_key ON swaps (shift_id, to_id) WHERE state IN ('asked', 'accepted');
CREATE INDEX swaps_from ON swaps (from_id, id);
CREATE INDEX swaps_to ON swaps (to_id, id);
CREATE INDEX swaps_roster ON swaps (roster_id, id);
CREATE INDEX swaps_open ON swaps (state, expires_at) WHERE state IN ('asked', 'accepted');

-- A skill may have a measured score (80 字/分), and says when it was assessed and by whom (0: not said).
ALTER TABLE person_skills ADD COLUMN score TEXT NOT NULL DEFAULT '';
ALTER TABLE person_skills ADD COLUMN assessed_on TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE person_skills ADD COLUMN assessed_by BIGINT NOT NULL DEFAULT 0;

-- What agents are assessed by, for companies that have the dictionary already; an entry of theirs with this code stays.
INSERT INTO dictionary_entries (id, dictionary, code, zh, en, position)
SELECT 7001, 'skill', 'communication', '沟通能力', 'Communication', MAX(position) + 1 FROM dictionary_entries
WHERE dictionary = 'skill' HAVING COUNT(*) > 0 AND SUM(CASE WHEN code = 'communication' THEN 1 ELSE 0 END) = 0;
INSERT INTO dictionary_entries (id, dictionary, code, zh, en, position)
SELECT 7002, 'skill', 'typing', '打字速度', 'Typing speed', MAX(position) + 1 FROM dictionary_entries
WHERE dictionary = 'skill' HAVING COUNT(*) > 0 AND SUM(CASE WHEN code = 'typing' THEN 1 ELSE 0 END) = 0;
INSERT INTO dictionary_entries (id, dictionary, code, zh, en, position)
SELECT 7003, 'skill', 'written_expression', '文字表达', 'Written expression', MAX(position) + 1 FROM dictionary_entries
WHERE dictionary = 'skill' HAVING COUNT(*) > 0 AND SUM(CASE WHEN code = 'written_expression' THEN 1 ELSE 0 END) = 0;
