-- Tells a head that sharding $2 begins, unless another program has begun it. Where does the shard end?
update ledger.heads
set shardings = $2::smallint + 1
where shard = $1 and shardings = $2::smallint
returning position, block, hash
