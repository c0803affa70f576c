-- Which accounts make up a figure of some days in a currency, and how much of it each? By shard and account, from the
-- one after ($6, $7) on. `$5` is the kind; without one it is what is deferred. What is earned evenly is rounded as in
-- `crates/domain/src/revenue/spans.rs`. Each table is read in the order of its key, and no further than a page: whoever
-- is on the page is among the first ones of both. The sum of some is 0.
select account_id, sum(minor)::text as minor
from (
    (
        select shard, account_id, sum(case when $5::text is null then deferred else minor end)::numeric as minor
        from read.deferred_accounts
        where (shard, account_id) > ($6::smallint, $7::text)
            and ($1::date is null or day >= $1)
            and day < $2::date
            and currency = $3
            and ($4::text is null or source = $4)
            and ($5::text is null or kind = $5)
        group by shard, account_id
        order by shard, account_id
        limit $8
    )
    union all
    (
        select
            spans.shard,
            spans.account_id,
            sum(
                case when $5::text is null then -bound.sign else bound.sign end * case
                    when point.at >= spans.period_end then spans.minor::numeric
                    else div(
                        spans.minor * greatest(extract(epoch from point.at - spans.period_start) * 1000000, 0),
                        extract(epoch from spans.period_end - spans.period_start) * 1000000
                    )
                end
            ) as minor
        from read.deferred_spans spans
        cross join (
            values
                (coalesce($1::date::timestamp at time zone 'UTC', '-infinity'::timestamptz), -1),
                ($2::date::timestamp at time zone 'UTC', 1)
        ) as bound (at, sign)
        cross join lateral (select greatest(least(bound.at, spans.until), spans.since) as at) point
        where (spans.shard, spans.account_id) > ($6::smallint, $7::text)
            and tstzrange(spans.since, spans.until) && tstzrange(
                $1::date::timestamp at time zone 'UTC', $2::date::timestamp at time zone 'UTC'
            )
            and spans.currency = $3
            and ($4::text is null or $4 = 'subscriptions')
            and ($5::text is null or $5 = 'recognised')
        group by spans.shard, spans.account_id
        order by spans.shard, spans.account_id
        limit $8
    )
) parts
group by shard, account_id
order by shard, account_id
limit $8
