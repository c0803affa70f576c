-- Which accounts have this attached, with one of these statuses?
--
-- The index is scanned once for each status, as in `by_status.sql`, and then each account of the page is read.
select account.*
from (
    select found.*
    from unnest($1::text[]) wanted (status)
    cross join lateral (
        select opened_at, account_id
        from read.account_metadata
        where (name, value, status) >= ($5, $6, wanted.status)
            and (name, value, status, opened_at, account_id) < ($5, $6, wanted.status, $2, $3)
        order by name desc, value desc, status desc, opened_at desc, account_id desc
        limit $4
    ) found
    order by opened_at desc, account_id desc
    limit $4
) page
cross join lateral (
    select account_id, shard, opened_at, status, plan, subscription, subscription_status
    from read.accounts known
    where known.account_id = page.account_id
    offset 0
) account
order by account.opened_at desc, account.account_id desc
