-- Appends events after a position ($2) as one block, if the position is still the last and there are as many shardings as
-- the caller knows ($14). Returns the new last position.
select ledger.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
