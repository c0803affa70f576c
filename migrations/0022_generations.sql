-- Which work does an event spend or hold credits for? So that one generation is never charged twice, and a refund finds
-- all of its charges, however long the account is.
alter table ledger.events add column generation text collate "C";
comment on column ledger.events.generation is
    'The id of the work and a space, and but for its own charge or hold the number of the event. Follows from the payload.';

-- What was charged before. Where a work was charged more than once, the first one is its own.
alter table ledger.events disable trigger events_append_only;
with spent as (
    select
        shard, position, aggregate_id, sequence,
        coalesce(
            payload #>> array[event_type, 'purpose', 'generation', 'id'],
            payload #>> array[event_type, 'purpose', 'named', 'id']
        ) as id,
        event_type <> 'HoldCommitted' and payload #> array[event_type, 'purpose', 'generation'] is not null as begins
    from ledger.events
    where event_type in ('CreditsDeducted', 'CreditsHeld', 'HoldCommitted')
), numbered as (
    select
        *, row_number() over (partition by shard, aggregate_id, id, begins order by position) as number
    from spent
    where id is not null
)
update ledger.events
set generation = case
    when numbered.begins and numbered.number = 1 then numbered.id || ' '
    else numbered.id || ' ' || numbered.sequence
end
from numbered
where events.shard = numbered.shard and events.position = numbered.position;
alter table ledger.events enable trigger events_append_only;

create unique index events_generation on ledger.events (shard, aggregate_id, generation) where generation is not null;
-- A hold that was committed is refunded by the hold's id.
create index events_hold_committed on ledger.events (shard, aggregate_id, (payload #>> '{HoldCommitted,hold_id}'))
    where event_type = 'HoldCommitted';

drop function ledger.append(
    smallint, bigint, bytea, timestamptz, text[], bigint[], text[], text[], text[], text[], text[], bytea[]
);

-- Appends one batch as one block, or nothing. `expected` is the position that the caller saw last: if another
-- writer was here since, what the batch was decided on may have changed, and the append is refused.
create function ledger.append(
    in_shard smallint,
    in_expected bigint,
    in_root bytea,
    in_recorded_at timestamptz,
    in_aggregate_ids text[],
    in_sequences bigint[],
    in_event_types text[],
    in_event_versions text[],
    in_payloads text[],
    in_metadata text[],
    in_idempotency_keys text[],
    in_generations text[],
    in_leaf_hashes bytea[]
) returns bigint
language plpgsql
security definer
set search_path = pg_catalog
as $$
declare
    head ledger.heads%rowtype;
    count constant bigint := cardinality(in_sequences);
    block_hash bytea;
begin
    select * into strict head from ledger.heads where shard = in_shard for update;
    if head.position <> in_expected then
        raise exception 'the journal is at position %, not at %', head.position, in_expected
            using errcode = 'CF001', constraint = 'heads_position';
    end if;
    block_hash := sha256(
        head.hash || int2send(in_shard) || int8send(head.block + 1)
        || int8send(head.position + 1) || int8send(head.position + count) || in_root
    );
    insert into ledger.events (
        shard, position, aggregate_type, aggregate_id, sequence, event_type, event_version,
        payload, metadata, recorded_at, idempotency_key, generation, leaf_hash
    )
    select
        in_shard, head.position + item.number, 'account', item.aggregate_id, item.sequence, item.event_type,
        item.event_version, item.payload::json, item.metadata::json, in_recorded_at, item.idempotency_key,
        item.generation, item.leaf_hash
    from unnest(
        in_aggregate_ids, in_sequences, in_event_types, in_event_versions, in_payloads, in_metadata,
        in_idempotency_keys, in_generations, in_leaf_hashes
    ) with ordinality as item (
        aggregate_id, sequence, event_type, event_version, payload, metadata, idempotency_key, generation, leaf_hash,
        number
    );
    insert into ledger.blocks (shard, block, first_position, last_position, root, hash)
    values (in_shard, head.block + 1, head.position + 1, head.position + count, in_root, block_hash);
    update ledger.heads
    set position = head.position + count, block = head.block + 1, hash = block_hash
    where shard = in_shard;
    perform pg_notify('counterfoil_events', in_shard::text);
    return head.position + count;
end
$$;
revoke execute on function ledger.append(
    smallint, bigint, bytea, timestamptz, text[], bigint[], text[], text[], text[], text[], text[], text[], bytea[]
) from public;
grant execute on function ledger.append(
    smallint, bigint, bytea, timestamptz, text[], bigint[], text[], text[], text[], text[], text[], text[], bytea[]
) to counterfoil_service;
