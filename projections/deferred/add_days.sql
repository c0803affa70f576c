-- Adds to what happened to money that was paid in advance, by day.
insert into read.deferred_days_vN as known (shard, day, currency, source, kind, minor, deferred, restated_at)
select $1, day, currency, source, kind, minor::numeric, deferred::numeric, restated_at
from unnest($2::date[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
    as new (day, currency, source, kind, minor, deferred, restated_at)
on conflict (shard, day, currency, source, kind) do update set
    minor = known.minor + excluded.minor,
    deferred = known.deferred + excluded.deferred,
    restated_at = greatest(known.restated_at, excluded.restated_at)
