-- Adds to what happened to the money of accounts, by day.
insert into read.deferred_accounts_vN as known (shard, account_id, day, currency, source, kind, minor, deferred)
select $1, new.*
from unnest($2::text[], $3::date[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[])
    as new (account_id, day, currency, source, kind, minor, deferred)
on conflict (shard, account_id, day, currency, source, kind) do update set
    minor = known.minor + excluded.minor,
    deferred = known.deferred + excluded.deferred
