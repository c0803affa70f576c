-- Adds deadlines of accounts of a shard.
insert into read.deadlines_vN (shard, account_id, due_at)
select $1, account_id, due_at
from unnest($2::text[], $3::timestamptz[]) as due (account_id, due_at)
on conflict do nothing
