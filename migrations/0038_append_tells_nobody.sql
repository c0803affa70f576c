-- A commit that notifies waits for all others on the server that do, so the appends of several shards waited for each
-- other. Who has appended tells it to other processes after the commit.

-- Appends one batch as one block, or nothing. `expected` is the position that the caller saw last: if another
-- writer was here since, what the batch was decided on may have changed, and the append is refused.
create or replace function ledger.append(
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
    return head.position + count;
end
$$;
