-- What do the accounts that paid at the end of one day ($1) pay at the end of a later one ($2)? By shard, account and
-- currency, page by page.
select
    paid.shard,
    paid.account_id,
    paid.currency,
    paid.after as mrr_at_start,
    later.after as mrr_at_end
from read.mrr_movements paid
join read.mrr_movements later
    on (later.shard, later.account_id, later.currency) = (paid.shard, paid.account_id, paid.currency)
    and later.day <= $2 and (later.until_day is null or later.until_day > $2)
where paid.after > 0 and daterange(paid.day, paid.until_day) @> $1::date
    and ($3::text is null or paid.currency = $3)
    and (paid.shard, paid.account_id, paid.currency) > ($4::smallint, $5::text, $6::text)
order by paid.shard, paid.account_id, paid.currency
limit $7
