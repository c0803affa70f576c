-- Which snapshots do accounts ($2) have in the version ($3) that is read?
--
-- With the limit, each account needs one look-up in an index, whatever the statistics of the table are.
select found.*
from unnest($2::text[]) as wanted (id)
cross join lateral (
    select aggregate_id, leaf_hash, state
    from ledger.snapshots
    where shard = $1 and aggregate_id = wanted.id and form = $3
    limit 1
) as found
