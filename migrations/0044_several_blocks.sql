-- Appends a block to each of several shards, or nothing: what `ledger.append` does for each of them, in one call.
-- The shards are in their order. The events of all blocks are in one list, in the order of the blocks: those of a block
-- begin at its number in `in_begins` and end where the next one begins.
create function ledger.append_blocks(
    in_shards smallint[],
    in_expected bigint[],
    in_roots bytea[],
    in_recorded_at timestamptz[],
    in_begins bigint[],
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
) returns bigint[]
language plpgsql
security definer
set search_path = pg_catalog
-- Else the statements would be planned again in each call.
set plan_cache_mode = force_generic_plan
as $$
declare
    head ledger.heads%rowtype;
    count constant integer := cardinality(in_shards);
    number integer := 0;
    counted bigint := 1;
    ends bigint[] := '{}';
    blocks bigint[] := '{}';
    hashes bytea[] := '{}';
begin
    for head in select * from ledger.heads where shard = any(in_shards) order by shard for update loop
        number := number + 1;
        if head.shardings <> in_shardings then
            raise exception 'the ledger was grown: it has % shardings, not %', head.shardings, in_shardings
                using errcode = 'CF003', constraint = 'heads_shardings';
        end if;
        if head.shard is distinct from in_shards[number] or in_begins[number] is distinct from counted then
            raise exception 'the blocks are not in the order of shards' using errcode = 'data_exception';
        end if;
        if head.position <> in_expected[number] then
            raise exception 'the journal is at position %, not at %', head.position, in_expected[number]
                using errcode = 'CF001', constraint = 'heads_position';
        end if;
        counted := coalesce(in_begins[number + 1], cardinality(in_sequences) + 1);
        if counted <= in_begins[number] then
            raise exception 'a block has no events' using errcode = 'data_exception';
        end if;
        ends[number] := head.position + counted - in_begins[number];
        blocks[number] := head.block + 1;
        hashes[number] := sha256(
            head.hash || int2send(head.shard) || int8send(head.block + 1)
            || int8send(head.position + 1) || int8send(ends[number]) || in_roots[number]
        );
    end loop;
    if number <> count then
        raise exception 'there are % of % shards', number, count using errcode = 'no_data_found';
    end if;
    insert into ledger.events (
        shard, position, aggregate_type, aggregate_id, sequence, event_type, event_version,
        payload, metadata, recorded_at, key_digest, generation, leaf_hash
    )
    select
        in_shards[item.block], in_expected[item.block] + item.number - in_begins[item.block] + 1, 'account',
        item.aggregate_id, item.sequence, item.event_type, item.event_version, item.payload::json,
        item.metadata::json, in_recorded_at[item.block], item.key_digest, item.generation, item.leaf_hash
    from (
        select *, width_bucket(item.number, in_begins) as block
        from unnest(
            in_aggregate_ids, in_sequences, in_event_types, in_event_versions, in_payloads, in_metadata,
            in_key_digests, in_generations, in_leaf_hashes
        ) with ordinality as item (
            aggregate_id, sequence, event_type, event_version, payload, metadata, key_digest, generation, leaf_hash,
            number
        )
    ) as item;
    insert into ledger.blocks (shard, block, first_position, last_position, root, hash)
    select shard, block, expected + 1, last, root, hash
    from unnest(in_shards, blocks, in_expected, ends, in_roots, hashes)
        as item (shard, block, expected, last, root, hash);
    update ledger.heads
    set position = item.last, block = item.block, hash = item.hash
    from unnest(in_shards, blocks, ends, hashes) as item (shard, block, last, hash)
    where heads.shard = item.shard;
    return ends;
end
$$;
revoke execute on function ledger.append_blocks(
    smallint[], bigint[], bytea[], timestamptz[], bigint[], text[], bigint[], text[], text[], text[], text[], uuid[],
    text[], bytea[], smallint
) from public;
grant execute on function ledger.append_blocks(
    smallint[], bigint[], bytea[], timestamptz[], bigint[], text[], bigint[], text[], text[], text[], text[], uuid[],
    text[], bytea[], smallint
) to counterfoil_service;
