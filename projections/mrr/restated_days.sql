-- When were some days last changed after they were over?
select max(recorded_at) as restated_at
from read.mrr_restatements
where day >= $1 and day < $2
    and ($3::text is null or currency = $3)
