-- How far is each shard?
select shard, position from ledger.heads
