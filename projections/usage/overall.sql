-- How much was used by all accounts, by day and type of generation? First by account, which is in one shard: so a
-- database of several nodes adds up what each of them answers, and need not bring all accounts to one place.
select
    day,
    generation_type,
    count(*) as accounts,
    least(sum(count), 9223372036854775807)::bigint as count,
    least(sum(credits), 9223372036854775807)::bigint as credits,
    least(sum(refunds), 9223372036854775807)::bigint as refunds,
    least(sum(credits_refunded), 9223372036854775807)::bigint as credits_refunded
from (
    select
        ($4::date[])[width_bucket(quarter, $3::timestamptz[])] as day,
        generation_type,
        shard,
        account_id,
        sum(count) as count,
        sum(credits) as credits,
        sum(refunds) as refunds,
        sum(credits_refunded) as credits_refunded
    from read.usage
    where quarter >= $1 and quarter < $2
    group by 1, 2, shard, account_id
) accounts
group by day, generation_type
order by day, generation_type
