-- When were some days, in UTC, last changed after they were over?
select max(restated_at) as restated_at
from read.deferred_days
where day >= $1 and day < $2 and ($3::text is null or currency = $3) and ($4::text is null or source = $4)
