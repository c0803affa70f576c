-- Which accounts first paid on some days ($1 until before $2), and what did they pay at the end of the last of them, and
-- of a later day ($3)? By shard, account and currency, page by page.
select
    cohort.shard,
    cohort.account_id,
    cohort.currency,
    cohort.day as first_paid_on,
    base.after as mrr_at_start,
    later.after as mrr
from read.mrr_movements cohort
join read.mrr_movements base
    on (base.shard, base.account_id, base.currency) = (cohort.shard, cohort.account_id, cohort.currency)
    and base.day < $2 and (base.until_day is null or base.until_day >= $2)
join read.mrr_movements later
    on (later.shard, later.account_id, later.currency) = (cohort.shard, cohort.account_id, cohort.currency)
    and later.day <= $3 and (later.until_day is null or later.until_day > $3)
where cohort.kind = 'new' and cohort.day >= $1 and cohort.day < $2
    and ($4::text is null or cohort.currency = $4)
    and ($5::boolean is null or (later.after > 0) = $5)
    and (cohort.shard, cohort.account_id, cohort.currency) > ($6::smallint, $7::text, $8::text)
order by cohort.shard, cohort.account_id, cohort.currency
limit $9
