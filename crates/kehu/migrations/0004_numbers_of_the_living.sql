-- A customer's number is one living customer's alone: a customer that was taken away, and every one of an import that
-- was taken back, leaves his free. Who comes back and finds it taken gets a new one (customers::restore).
DROP INDEX customers_number_key;
CREATE UNIQUE INDEX customers_number_key ON customers (number) WHERE deleted_at IS NULL;
