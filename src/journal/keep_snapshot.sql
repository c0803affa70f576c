-- Stores an account's state, unless a later one of the same version is stored.
insert into ledger.snapshots (shard, aggregate_id, sequence, leaf_hash, form, state)
values ($1, $2, $3, $4, $5, $6)
on conflict on constraint snapshots_account do update set
    sequence = excluded.sequence,
    leaf_hash = excluded.leaf_hash,
    form = excluded.form,
    state = excluded.state
where snapshots.sequence < excluded.sequence or snapshots.form <> excluded.form
