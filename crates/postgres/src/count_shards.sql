-- How many shards does each sharding of the journal have? The newest first.
select max(slots) from ledger.heads group by sharding order by sharding desc
