-- Which events are after one position and up to another?
copy (
    select position, aggregate_id, sequence, recorded_at, event_type, event_version, payload, metadata
    from ledger.events
    where shard = SHARD and position > AFTER and position <= UNTIL
    order by position
) to stdout (format binary)
