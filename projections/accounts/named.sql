-- Which of these accounts ($1) match the filter, newest first?
select account.*
from unnest($1::text[]) wanted (account_id)
cross join lateral (
    select account_id, shard, opened_at, status, plan, subscription, subscription_status
    from read.accounts known
    where known.account_id = wanted.account_id
        and known.status = any($5) and ($6::text is null or known.plan = $6)
        and ($7::text is null or exists (
            select from read.account_metadata attached
            where attached.account_id = wanted.account_id and attached.name = $7 and attached.value = $8
        ))
    offset 0
) account
where (account.opened_at, account.account_id) < ($2, $3)
order by account.opened_at desc, account.account_id desc
limit $4
