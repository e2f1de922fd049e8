-- Values of dictionaries count their changes, so that a program cannot overwrite what it has not seen.
ALTER TABLE dictionary_entries ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
