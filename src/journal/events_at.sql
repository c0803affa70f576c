-- Which events are at these positions?
copy (
    select position, aggregate_id, sequence, recorded_at, event_type, event_version, payload, metadata
    from ledger.events
    where shard = SHARD and position in (POSITIONS)
    order by position
) to stdout (format binary)
