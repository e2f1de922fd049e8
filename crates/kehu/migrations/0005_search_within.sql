-- How the search documents in this database are made: what the program makes otherwise is made anew when it starts.
CREATE TABLE search_state (
    id BIGINT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);
-- only postgres
-- Whether a number is in a list written as text: a long list costs one constant instead of one for each number. SQLite
-- gets the same function from the program. The casts are immutable, so the list is read once a statement.
CREATE FUNCTION one_of(value BIGINT, ids TEXT) RETURNS BOOLEAN LANGUAGE sql IMMUTABLE AS
    'SELECT value = ANY (CAST(string_to_array(ids, '','') AS BIGINT[]))';
-- end
