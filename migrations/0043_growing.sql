-- A ledger can be grown: it begins another sharding, whose shards get the accounts that are opened from then on.
-- Accounts that were opened before stay where they are. Which ones these are is said by a filter, which never changes.
alter table ledger.heads
    add column sharding smallint not null default 0,
    add column shardings smallint not null default 1,
    add constraint heads_sharding check (sharding >= 0 and sharding < shardings);
comment on column ledger.heads.slot is
    'Of the accounts of its sharding, those whose digest, the first four bytes of sha256(account), is this modulo slots.';
comment on column ledger.heads.slots is 'How many shards its sharding has. The same in each row of the sharding.';
comment on column ledger.heads.sharding is 'Which sharding the shard is of: 0, or that of a growth.';
comment on column ledger.heads.shardings is
    'How many shardings there are. The same in each row: who appends has to know of all of them.';

-- The growths. That with which the database was made, 0, has no row.
create table ledger.shardings (
    sharding smallint primary key check (sharding > 0),
    -- How many shards it has.
    slots smallint not null,
    -- How many accounts had been opened before, all of which are in its filter.
    accounts bigint not null,
    -- Where each earlier shard ended when it began, in the order of shards.
    shards smallint[] not null,
    positions bigint[] not null,
    blocks bigint[] not null,
    hashes bytea[] not null,
    -- What the chains of its shards begin with: the leaf hash, as of an event, of the columns above and of the filter.
    hash bytea not null,
    began_at timestamptz not null
);

-- The filters, in pieces. What a filter is, and which accounts are in it, is said in src/journal/earlier_accounts.rs.
create table ledger.sharding_filters (
    sharding smallint not null,
    piece integer not null,
    bits bytea not null,
    constraint sharding_filters_piece primary key (sharding, piece)
);

-- Only the login that migrates grows a ledger, and nobody changes what a growth has written.
revoke insert, update, delete, truncate on ledger.shardings, ledger.sharding_filters from counterfoil_service;
create trigger shardings_append_only before update or delete or truncate on ledger.shardings
    for each statement execute function ledger.refuse_change();
create trigger sharding_filters_append_only before update or delete or truncate on ledger.sharding_filters
    for each statement execute function ledger.refuse_change();

drop function ledger.append(
    smallint, bigint, bytea, timestamptz, text[], bigint[], text[], text[], text[], text[], uuid[], text[], bytea[]
);

-- Appends one batch as one block, or nothing. `expected` is the position that the caller saw last: if another
-- writer was here since, what the batch was decided on may have changed, and the append is refused.
-- `shardings` is how many shardings the caller knows: one that does not know the newest might open an account twice.
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
    in_leaf_hashes bytea[],
    in_shardings smallint
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
    if head.shardings <> in_shardings then
        raise exception 'the ledger was grown: it has % shardings, not %', head.shardings, in_shardings
            using errcode = 'CF003', constraint = 'heads_shardings';
    end if;
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
    return head.position + count;
end
$$;
revoke execute on function ledger.append(
    smallint, bigint, bytea, timestamptz, text[], bigint[], text[], text[], text[], text[], uuid[], text[], bytea[],
    smallint
) from public;
grant execute on function ledger.append(
    smallint, bigint, bytea, timestamptz, text[], bigint[], text[], text[], text[], text[], uuid[], text[], bytea[],
    smallint
) to counterfoil_service;
