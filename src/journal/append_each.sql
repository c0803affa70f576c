-- Appends a block to each of several shards (see append.sql): all of them or none. Returns the new last positions.
-- Each further block has a call of its own, with the next parameters.
select array[ledger.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)]
