-- Which accounts paid at the end of a day, since when, and how much? By shard, account and currency, page by page.
select shard, account_id, currency, after as mrr, day as since
from read.mrr_movements
where after > 0 and daterange(day, until_day) @> $1::date
    and ($2::text is null or currency = $2)
    and (shard, account_id, currency) > ($3::smallint, $4::text, $5::text)
order by shard, account_id, currency
limit $6
