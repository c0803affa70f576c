-- Stores states of accounts ($2), unless a later one of the same version is stored.
insert into ledger.snapshots (shard, aggregate_id, sequence, leaf_hash, form, state)
select $1, s.aggregate_id, s.sequence, s.leaf_hash, $5, s.state
from unnest($2::text[], $3::bigint[], $4::bytea[], $6::bytea[]) as s (aggregate_id, sequence, leaf_hash, state)
on conflict on constraint snapshots_account do update set
    sequence = excluded.sequence,
    leaf_hash = excluded.leaf_hash,
    form = excluded.form,
    state = excluded.state
where snapshots.sequence < excluded.sequence or snapshots.form <> excluded.form
