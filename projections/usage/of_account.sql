select day, generation_type, count, credits, refunds, credits_refunded
from read.usage
where account_id = $1 and day >= $2 and day < $3
order by day, generation_type
