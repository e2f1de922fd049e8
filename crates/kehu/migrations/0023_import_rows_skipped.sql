-- Rows whose customers were there already are listed by their numbers.
CREATE INDEX import_rows_skipped ON import_rows (import_id, row_number) WHERE outcome = 'skipped';
