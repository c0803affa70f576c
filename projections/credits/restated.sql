-- When were some days, in UTC, last changed after they were over?
select max(restated_at) as restated_at from read.credits_days where day >= $1 and day < $2
