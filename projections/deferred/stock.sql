-- How much money was deferred before a day, by currency? Months before its own, and days of its month.
select currency, sum(deferred)::text as deferred
from (
    select currency, source, deferred from read.deferred_months where month < $1::date
    union all
    select currency, source, deferred from read.deferred_days where day >= $1::date and day < $2::date
) parts
where ($3::text is null or currency = $3) and ($4::text is null or source = $4)
group by currency
order by currency
