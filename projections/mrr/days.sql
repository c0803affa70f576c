-- How did revenue change on each day before one, by currency and kind of movement?
select currency, day, kind, sum(after - before)::bigint as change, count(*) as accounts
from read.mrr_movements
where day < $1
group by currency, day, kind
order by currency, day, kind
