-- What happened to accounts ($2) from their nth event on ($3)?
--
-- With the offset, each account needs one look-up in an index, whatever the statistics of the table are.
select
    e.aggregate_id, e.sequence, e.position, e.event_type, e.event_version, e.payload::text as payload, e.leaf_hash
from unnest($2::text[], $3::bigint[]) as wanted (id, sequence)
cross join lateral (
    select *
    from ledger.events
    where shard = $1 and aggregate_id = wanted.id and sequence >= wanted.sequence
    offset 0
) as e
order by e.aggregate_id, e.sequence
