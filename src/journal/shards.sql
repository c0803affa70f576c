-- Which shards are there?
select shard from ledger.heads order by shard
