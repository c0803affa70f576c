-- What is known of the money of these accounts' subscriptions? In the order of their streams. Each account is looked up
-- by itself: for a list, a database without statistics would go through all rows of the shard.
select fact.account_id, fact.event
from unnest($2::text[]) as wanted (account_id)
cross join lateral (
    select account_id, sequence, event
    from read.deferred_facts_vN
    where shard = $1 and account_id = wanted.account_id
    order by sequence
) fact
order by fact.account_id, fact.sequence
