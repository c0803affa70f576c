-- Adds to what changed the money that is deferred, by month.
insert into read.deferred_months_vN as known (shard, month, currency, source, deferred)
select $1, month, currency, source, deferred::numeric
from unnest($2::date[], $3::text[], $4::text[], $5::text[]) as new (month, currency, source, deferred)
on conflict (shard, month, currency, source) do update set deferred = known.deferred + excluded.deferred
