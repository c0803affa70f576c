-- Which numbers do so many ($1) new shards get? As in 0037_shards: each the least one that falls into its own of as many
-- equal parts of the hash values, of those that no shard has.
select min(number)::smallint
from (
    select
        number,
        ((hashint2(number::smallint)::bigint + 2147483648) / (4294967296 / $1::bigint))::integer as part
    from generate_series(0, 32767) as number
    where number not in (select shard from ledger.heads)
) numbers
group by part
order by part
