-- Whose a customer is, to be asked for each that a search finds before the customer itself is read.
-- only sqlite
CREATE INDEX customers_whose ON customers (id, owner_id, unit_id);
-- end
