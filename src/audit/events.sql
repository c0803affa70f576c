-- Which events come after a position, with all that their hashes cover?
select
    position, aggregate_id, sequence, event_type, event_version, payload::text as payload,
    metadata::text as metadata, recorded_at, idempotency_key, generation, leaf_hash
from ledger.events
where shard = $1 and position > $2
order by position
limit $3
