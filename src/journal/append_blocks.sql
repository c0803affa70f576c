-- Appends a block to each of several shards, as append.sql does to one: all of them or none. Returns the new last
-- positions, in the order of shards.
select ledger.append_blocks($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
