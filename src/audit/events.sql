-- Which events come after one position and up to another, with all that their hashes cover?
select
    position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload::text as payload,
    metadata::text as metadata, recorded_at, key_digest, idempotency_key, leaf_hash
from ledger.events
where shard = $1 and position > $2 and position <= $3
order by position
