-- What happened to these accounts ($2), from their beginning?
--
-- With the offset, each account needs one look-up in an index, whatever the statistics of the table are.
select
    e.aggregate_id, e.sequence, e.position, e.event_type, e.event_version, e.payload::text as payload, e.generation
from unnest($2::text[]) as wanted (id)
cross join lateral (
    select * from ledger.events where shard = $1 and aggregate_id = wanted.id offset 0
) as e
order by e.aggregate_id, e.sequence
