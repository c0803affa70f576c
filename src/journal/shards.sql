-- Which shards are there, and which part of the accounts is in each?
select shard, slot, slots from ledger.heads order by slot
