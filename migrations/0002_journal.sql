-- The truth. Rows of `ledger.events` are written once, by `ledger.append`, and never change.

create table ledger.heads (
    shard smallint primary key,
    -- The position of the last event; positions have no gaps and follow the order of commits.
    position bigint not null,
    -- The number of the last block, and its hash, which the next block is chained to.
    block bigint not null,
    hash bytea not null
);
comment on table ledger.heads is 'One row a shard: where its order of events ends. Locked by each append.';

create table ledger.events (
    shard smallint not null,
    position bigint not null,
    aggregate_type text not null,
    -- Compared byte by byte, whatever the database's locale: names have no language.
    aggregate_id text collate "C" not null,
    -- From 1, without gaps, in each account.
    sequence bigint not null,
    event_type text not null,
    event_version text not null,
    -- json, not jsonb: the bytes that were hashed are the bytes that are kept.
    payload json not null,
    metadata json not null,
    recorded_at timestamptz not null,
    -- On the first event of each command.
    idempotency_key text collate "C",
    -- RFC 6962 leaf hash of the other columns.
    leaf_hash bytea not null,
    constraint events_position primary key (shard, position),
    constraint events_sequence unique (shard, aggregate_id, sequence)
);
create unique index events_idempotency_key on ledger.events (shard, aggregate_id, idempotency_key)
    where idempotency_key is not null;

create table ledger.blocks (
    shard smallint not null,
    block bigint not null,
    -- The first and last position of the block.
    first_position bigint not null,
    last_position bigint not null,
    -- RFC 6962 Merkle root over the leaf hashes, in the order of positions.
    root bytea not null,
    -- sha256(previous hash ‖ shard ‖ block ‖ first ‖ last ‖ root), numbers big-endian.
    hash bytea not null,
    constraint blocks_number primary key (shard, block)
);

-- What an account was after one of its events, so that a cold one is read from there and not from the start.
-- A cache: it can be deleted at any time.
create table ledger.snapshots (
    shard smallint not null,
    aggregate_id text not null,
    sequence bigint not null,
    -- The hash of the event at that sequence: a snapshot of another history is not used.
    leaf_hash bytea not null,
    -- The form of the state; another one is not used.
    form text not null,
    state bytea not null,
    constraint snapshots_account primary key (shard, aggregate_id)
);

-- The catalogs that events were decided under, by the hash that they carry.
create table ledger.catalogs (
    hash text primary key,
    name text not null,
    source text not null,
    loaded_at timestamptz not null
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
    in_leaf_hashes bytea[]
) returns bigint
language plpgsql
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
        payload, metadata, recorded_at, idempotency_key, leaf_hash
    )
    select
        in_shard, head.position + item.number, 'account', item.aggregate_id, item.sequence, item.event_type,
        item.event_version, item.payload::json, item.metadata::json, in_recorded_at, item.idempotency_key,
        item.leaf_hash
    from unnest(
        in_aggregate_ids, in_sequences, in_event_types, in_event_versions, in_payloads, in_metadata,
        in_idempotency_keys, in_leaf_hashes
    ) with ordinality as item (
        aggregate_id, sequence, event_type, event_version, payload, metadata, idempotency_key, leaf_hash, number
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

-- Append-only, twice: the service's role has no privilege to change events (0005_roles), and this refuses
-- whoever has.
create function ledger.refuse_change() returns trigger
language plpgsql
as $$
begin
    raise exception 'ledger.% is append-only', tg_table_name using errcode = 'CF002';
end
$$;
create trigger events_append_only before update or delete or truncate on ledger.events
    for each statement execute function ledger.refuse_change();
create trigger blocks_append_only before update or delete or truncate on ledger.blocks
    for each statement execute function ledger.refuse_change();

insert into ledger.heads (shard, position, block, hash) values (0, 0, 0, '\x');
