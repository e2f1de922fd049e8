-- What becomes of penalties (罚则): those the regulation names confirm or cancel them, and whoever is hit may appeal once.
-- A penalty with an appeal that nobody has decided is not final, whatever its state says.
ALTER TABLE penalties ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE penalties ADD COLUMN appealed_at BIGINT;
ALTER TABLE penalties ADD COLUMN appeal_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE penalties ADD COLUMN appeal_outcome TEXT COLLATE "C" NOT NULL DEFAULT '' CHECK (appeal_outcome IN ('', 'upheld', 'withdrawn'));
ALTER TABLE penalties ADD COLUMN appeal_decided_by BIGINT;
ALTER TABLE penalties ADD COLUMN appeal_decided_at BIGINT;
ALTER TABLE penalties ADD COLUMN appeal_note TEXT NOT NULL DEFAULT '';
CREATE INDEX penalties_month ON penalties (month, id);

-- Who decides on a penalty, as the regulation named them when it came; 0 stands for the administrators, where it names
-- nobody but the one it hits. `waits` while there is something to decide.
CREATE TABLE penalty_people (
    penalty_id BIGINT NOT NULL REFERENCES penalties (id),
    person_id BIGINT NOT NULL,
    waits BOOLEAN NOT NULL,
    PRIMARY KEY (penalty_id, person_id)
);
CREATE INDEX penalty_people_waiting ON penalty_people (person_id, waits, penalty_id);
INSERT INTO penalty_people (penalty_id, person_id, waits) SELECT id, 0, state = 'proposed' FROM penalties;

-- A notice about a penalty leads to it: whoever is told need not be able to read the case.
ALTER TABLE notices ADD COLUMN penalty_id BIGINT;
