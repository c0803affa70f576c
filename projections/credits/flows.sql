-- How did credits come and go, by interval and kind? An interval is whole days, in UTC, and quarters of an hour at its
-- ends.
select
    place,
    kind,
    generation_type,
    sum(count)::bigint as count,
    sum(available)::text as available,
    sum(held)::text as held,
    sum(debt)::text as debt
from (
    select span.place, days.kind, days.generation_type, days.count, days.available, days.held, days.debt
    from unnest($1::integer[], $2::date[], $3::date[]) as span (place, first, until)
    join read.credits_days days on days.day >= span.first and days.day < span.until
    union all
    select
        span.place, quarters.kind, quarters.generation_type, quarters.count, quarters.available, quarters.held,
        quarters.debt
    from unnest($4::integer[], $5::timestamptz[], $6::timestamptz[]) as span (place, begin, until)
    join read.credits_quarters quarters on quarters.quarter >= span.begin and quarters.quarter < span.until
) parts
group by place, kind, generation_type
order by place, kind, generation_type
