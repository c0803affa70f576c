-- Adds to the sums of the movements of a shard in months, by their first day.
insert into read.mrr_months_vN as known (shard, month, currency, kind, change, count)
select $1, month, currency, kind, change::numeric, count
from unnest($2::date[], $3::text[], $4::text[], $5::text[], $6::bigint[])
    as new (month, currency, kind, change, count)
on conflict (shard, month, currency, kind) do update set
    change = known.change + excluded.change,
    count = known.count + excluded.count
