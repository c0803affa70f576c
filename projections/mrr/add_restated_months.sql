-- Says when days of months of a shard were last changed after they were over.
insert into read.mrr_restated_months_vN as known (shard, month, currency, restated_at)
select $1, month, currency, restated_at
from unnest($2::date[], $3::text[], $4::timestamptz[]) as new (month, currency, restated_at)
on conflict (shard, month, currency) do update set restated_at = greatest(known.restated_at, excluded.restated_at)
