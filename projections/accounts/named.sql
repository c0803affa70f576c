-- Which of these accounts ($2) of a shard match the filter, newest first?
select account.*
from unnest($2::text[]) wanted (account_id)
cross join lateral (
    select shard, account_id, opened_at, status, plan, subscription, subscription_status
    from read.accounts known
    where known.shard = $1 and known.account_id = wanted.account_id
        and known.status = any($6) and ($7::text is null or known.plan = $7)
        and ($8::text is null or exists (
            select from read.account_metadata attached
            where attached.shard = $1 and attached.account_id = wanted.account_id
                and attached.name = $8 and attached.value = $9
        ))
    offset 0
) account
where (account.opened_at, account.account_id) < ($3, $4)
order by account.opened_at desc, account.account_id desc
limit $5
