-- When was a day before another ($2) last changed after it was over? Months before its own ($1), and days.
select max(restated_at) as restated_at
from (
    select restated_at
    from read.mrr_restated_months
    where month < $1 and ($3::text is null or currency = $3)
    union all
    select recorded_at
    from read.mrr_restatements
    where day >= $1 and day < $2 and ($3::text is null or currency = $3)
) parts
