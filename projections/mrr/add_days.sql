-- Adds to the sums of the movements of a shard in days.
insert into read.mrr_days_vN as known (shard, day, currency, kind, change, count)
select $1, day, currency, kind, change::numeric, count
from unnest($2::date[], $3::text[], $4::text[], $5::text[], $6::bigint[])
    as new (day, currency, kind, change, count)
on conflict (shard, day, currency, kind) do update set
    change = known.change + excluded.change,
    count = known.count + excluded.count
