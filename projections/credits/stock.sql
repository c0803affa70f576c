-- Which credits were there before a time? Months before its own, days of its month, and quarters of an hour of its day.
select
    coalesce(sum(available), 0)::text as available,
    coalesce(sum(held), 0)::text as held,
    coalesce(sum(debt), 0)::text as debt
from (
    select available, held, debt from read.credits_months where month < $1::date
    union all
    select available, held, debt from read.credits_days where day >= $1::date and day < $2::date
    union all
    select available, held, debt
    from read.credits_quarters
    where quarter >= $3::timestamptz and quarter < $4::timestamptz
) parts
