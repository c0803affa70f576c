-- Smaller rows and indexes: an idempotency key is stored as its digest. Rows that are there keep their text.
alter table ledger.events add column key_digest uuid;
comment on column ledger.events.key_digest is
    'On the first event of each command that has an idempotency key: ledger.key_digest of it.';
comment on column ledger.events.idempotency_key is 'On the first event of each command, as releases before key_digest wrote it.';

-- The digest of an account's idempotency key: the first 128 bits of sha256(account ‖ 0x00 ‖ key).
create function ledger.key_digest(account text, key text) returns uuid
language sql
immutable strict parallel safe
return encode(
    substr(
        sha256(convert_to(account, 'UTF8') || '\x00'::bytea || convert_to(key, 'UTF8')), 1, 16
    ), 'hex'
)::uuid;
revoke execute on function ledger.key_digest(text, text) from public;
grant execute on function ledger.key_digest(text, text) to counterfoil_service;

-- One index for rows of all releases. A digest is of one account only, so the account need not be in it.
create unique index events_key on ledger.events (
    shard, coalesce(key_digest, ledger.key_digest(aggregate_id, idempotency_key))
) where coalesce(key_digest, ledger.key_digest(aggregate_id, idempotency_key)) is not null;
drop index ledger.events_idempotency_key;

drop function ledger.append(
    smallint, bigint, bytea, timestamptz, text[], bigint[], text[], text[], text[], text[], text[], text[], bytea[]
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
    in_key_digests uuid[],
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
        payload, metadata, recorded_at, key_digest, generation, leaf_hash
    )
    select
        in_shard, head.position + item.number, 'account', item.aggregate_id, item.sequence, item.event_type,
        item.event_version, item.payload::json, item.metadata::json, in_recorded_at, item.key_digest,
        item.generation, item.leaf_hash
    from unnest(
        in_aggregate_ids, in_sequences, in_event_types, in_event_versions, in_payloads, in_metadata,
        in_key_digests, in_generations, in_leaf_hashes
    ) with ordinality as item (
        aggregate_id, sequence, event_type, event_version, payload, metadata, key_digest, generation, leaf_hash, number
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
    smallint, bigint, bytea, timestamptz, text[], bigint[], text[], text[], text[], text[], uuid[], text[], bytea[]
) from public;
grant execute on function ledger.append(
    smallint, bigint, bytea, timestamptz, text[], bigint[], text[], text[], text[], text[], uuid[], text[], bytea[]
) to counterfoil_service;
