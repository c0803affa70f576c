-- Was an event recorded before a time ($3)?
select recorded_at < $3 from ledger.events where shard = $1 and position = $2
