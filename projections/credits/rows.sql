-- Which accounts make up a figure of some time, and how much of it each? By shard and account, from the one after
-- ($5, $6) on. Each table is read in the order of its key, and no further than a page: whoever is on the page is among
-- the first ones of both.
select
    account_id,
    sum(count)::bigint as count,
    sum(available)::text as available,
    sum(held)::text as held,
    sum(debt)::text as debt
from (
    (
        select
            shard,
            account_id,
            sum(count) as count,
            sum(available) as available,
            sum(held) as held,
            sum(debt) as debt
        from read.credits_accounts
        where (shard, account_id) > ($5::smallint, $6::text)
            and ($1::timestamptz is null or quarter >= $1)
            and quarter < $2
            and ($3::text is null or kind = $3)
            and ($4::text is null or generation_type = $4)
        group by shard, account_id
        order by shard, account_id
        limit $7
    )
    union all
    (
        select
            shard,
            account_id,
            sum(count) as count,
            -sum(credits)::numeric as available,
            0::numeric as held,
            0::numeric as debt
        from read.usage
        where (shard, account_id) > ($5::smallint, $6::text)
            and ($1::timestamptz is null or quarter >= $1)
            and quarter < $2
            and ($3::text is null or $3 = 'usage')
            and ($4::text is null or generation_type = $4)
            and count > 0
        group by shard, account_id
        order by shard, account_id
        limit $7
    )
) parts
group by shard, account_id
order by shard, account_id
limit $7
