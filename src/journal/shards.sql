-- Which shards are there, and which part of the accounts of which sharding is in each?
select shard, sharding, slot, slots, shardings from ledger.heads order by sharding, slot
