-- The last event is read from the journal itself, one index look-up a row of the page: a row that every event
-- changed would cost the projector more than all else in this read model.
select
    account.account_id,
    account.opened_at,
    account.status,
    coalesce(current_plan.plan, account.free_plan) as plan,
    current_plan.status as subscription_status,
    current_plan.subscription,
    coalesce(linked.customers, '{}') as customers,
    last.event_type as last_event,
    last.recorded_at as last_event_at,
    last.sequence as last_sequence,
    last.position as last_position
from (
    select account_id, shard, opened_at, free_plan, status
    from read.accounts
    where ($1::text is null or account_id = $1)
        and ($2::text is null or starts_with(account_id, $2))
        and ($3::text is null or account_id in (
            select account_id from read.account_customers where customer = $3 and not gone
        ))
        and (opened_at, account_id) < ($4, $5)
    order by opened_at desc, account_id desc
    limit $6
) account
left join lateral (
    select plan, status, subscription
    from read.account_plans plans
    where plans.account_id = account.account_id and gives_access
    order by reported_at desc, rank desc, evidence_id desc
    limit 1
) current_plan on true
left join lateral (
    select array_agg(customer order by customer) as customers
    from read.account_customers customers
    where customers.account_id = account.account_id and not gone
) linked on true
left join lateral (
    select event_type, recorded_at, sequence, position
    from ledger.events
    where shard = account.shard and aggregate_id = account.account_id
    order by sequence desc
    limit 1
) last on true
order by account.opened_at desc, account.account_id desc
