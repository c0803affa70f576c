-- How many accounts have no snapshot since their events last doubled, from the 32nd on?
select count(*)
from (
    select shard, aggregate_id, count(*) as events
    from ledger.events
    group by shard, aggregate_id
) as account
left join ledger.snapshots using (shard, aggregate_id)
where
    account.events >= 32
    and coalesce(snapshots.sequence, 0) < power(2, floor(log(2, account.events)))
