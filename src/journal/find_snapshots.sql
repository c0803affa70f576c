-- Which snapshots are there of accounts ($2), in the form ($3) that is read?
--
-- The limit makes each of them one look-up in an index, whatever is known of the table's size.
select found.*
from unnest($2::text[]) as wanted (id)
cross join lateral (
    select aggregate_id, leaf_hash, state
    from ledger.snapshots
    where shard = $1 and aggregate_id = wanted.id and form = $3
    limit 1
) as found
