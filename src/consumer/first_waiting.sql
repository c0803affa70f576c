-- When was the first event after a position recorded?
select recorded_at from ledger.events where shard = $1 and position > $2 order by position limit 1
