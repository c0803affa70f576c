-- Which accounts have events after a position?
select distinct aggregate_id from ledger.events where shard = $1 and position > $2 order by aggregate_id
