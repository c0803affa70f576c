-- Who caused these events ($3) of an account?
--
-- It is read from the journal itself, with one index look-up for each.
select event.*
from unnest($3::bigint[]) wanted (sequence)
cross join lateral (
    select sequence, metadata->>'actor' as actor
    from ledger.events
    where shard = $1 and aggregate_id = $2 and ledger.events.sequence = wanted.sequence
    offset 0
) event
