-- How much do the accounts that first paid in a month pay at the end of it, and of later months ($4), by month and
-- currency? Each account is in one row for each end, if only with 0.
select
    cohort.month,
    cohort.currency,
    ends.last_day,
    count(*) as accounts_at_start,
    count(*) filter (where later.after > 0) as accounts,
    sum(later.after)::bigint as mrr,
    sum(least(later.after, base.after))::bigint as kept
from (
    select
        shard,
        account_id,
        currency,
        date_trunc('month', day::timestamp)::date as month,
        (date_trunc('month', day::timestamp) + interval '1 month')::date - 1 as month_end
    from read.mrr_movements
    where kind = 'new' and day >= $1 and day < $2
        and ($3::text is null or currency = $3)
) cohort
join unnest($4::date[]) as ends (last_day) on ends.last_day >= cohort.month_end
join read.mrr_movements base
    on (base.shard, base.account_id, base.currency) = (cohort.shard, cohort.account_id, cohort.currency)
    and base.day <= cohort.month_end and (base.until_day is null or base.until_day > cohort.month_end)
join read.mrr_movements later
    on (later.shard, later.account_id, later.currency) = (cohort.shard, cohort.account_id, cohort.currency)
    and later.day <= ends.last_day and (later.until_day is null or later.until_day > ends.last_day)
group by cohort.month, cohort.currency, ends.last_day
order by cohort.month, cohort.currency, ends.last_day
