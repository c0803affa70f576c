-- Sets the account's plan by the newest reports on its subscriptions.
update read.accounts_vN account
set plan = coalesce(newest.plan, account.free_plan),
    subscription = newest.subscription,
    subscription_status = newest.status
from (values (1)) always
left join lateral (
    select plan, status, subscription
    from read.account_plans_vN
    where shard = $1 and account_id = $2 and gives_access
    order by reported_at desc, rank desc, evidence_id desc
    limit 1
) newest on true
where account.shard = $1 and account.account_id = $2
    and (account.plan, account.subscription, account.subscription_status)
        is distinct from (coalesce(newest.plan, account.free_plan), newest.subscription, newest.status)
returning account.plan
