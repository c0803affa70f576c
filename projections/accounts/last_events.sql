-- What is the last event of each of these accounts ($2) of a shard?
--
-- It is read from the journal itself, with one index look-up for each account: a row that every event changes would cost
-- the projector more than everything else in this read model.
select last.*
from unnest($2::text[]) account (account_id)
cross join lateral (
    select aggregate_id as account_id, event_type, recorded_at, sequence, position
    from ledger.events
    where shard = $1 and aggregate_id = account.account_id
    order by sequence desc
    limit 1
) last
