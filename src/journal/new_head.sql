-- Begins the order of a shard: part $3 of $4 of the accounts of sharding $2. Its chain begins with a hash ($5).
insert into ledger.heads (shard, position, block, hash, sharding, shardings, slot, slots)
values ($1, 0, 0, $5, $2::smallint, $2::smallint + 1, $3, $4)
