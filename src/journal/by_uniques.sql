-- What did the commands that have these keys ($3), or are for these generations ($4), do?
--
-- A command's events follow each other in its account's stream: the first one has the key, a generation's own is the
-- last. With limit and offset, each needs two look-ups in an index, whatever the statistics of the table are.
select
    wanted.number,
    e.position, e.aggregate_id, e.sequence, e.event_type, e.event_version, e.payload::text as payload,
    e.metadata::text as metadata, e.recorded_at
from unnest($2::text[], $3::uuid[], $4::text[]) with ordinality as wanted (id, key, generation, number)
cross join lateral (
    select sequence as first, sequence + coalesce((metadata ->> 'events')::bigint, 1) - 1 as last
    from ledger.events
    where
        shard = $1 and hashtext(aggregate_id) = hashtext(wanted.id)
        and coalesce(key_digest, ledger.key_digest(aggregate_id, idempotency_key)) = wanted.key
    union all
    select sequence - coalesce((metadata ->> 'events')::bigint, 1) + 1, sequence
    from ledger.events
    where shard = $1 and aggregate_id = wanted.id and generation = wanted.generation
    limit 1
) as command
cross join lateral (
    select *
    from ledger.events
    where shard = $1 and aggregate_id = wanted.id and sequence between command.first and command.last
    offset 0
) as e
order by e.position
