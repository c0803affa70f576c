-- Appends events after a position ($2) as one block, if the position is still the last. Returns the new last one.
select ledger.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
