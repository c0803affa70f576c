-- How many accounts are on each plan?
select plan, count(*)
from (
    select distinct shard, account_id, plan from read.account_plans where gives_access
    union
    select shard, account_id, free_plan
    from read.accounts account
    where status = 'open' and not exists (
        select from read.account_plans held
        where held.shard = account.shard and held.account_id = account.account_id and held.gives_access
    )
) as plans
group by plan
order by plan
