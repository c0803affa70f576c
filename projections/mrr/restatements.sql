-- Which days that were over did a report change, in the order in which the reports were recorded, page by page?
select shard, position, account_id, currency, day, recorded_at, stripe_event, kind_before, change_before,
    kind_after, change_after
from read.mrr_restatements
where day >= $1 and day < $2
    and (day, recorded_at, shard, position, account_id, currency)
        > ($4::date, $5::timestamptz, $6::smallint, $7::bigint, $8::text, $9::text)
order by day, recorded_at, shard, position, account_id, currency
limit $3
