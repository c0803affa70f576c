-- Stores an account's metadata.
--
-- All of it is replaced each time.
with gone as (
    delete from read.account_metadata_vN where shard = $1 and account_id = $2 and name <> all ($3)
)
insert into read.account_metadata_vN (shard, account_id, name, value, opened_at, status, plan)
select account.shard, account.account_id, attached.name, attached.value, account.opened_at, account.status, account.plan
from unnest($3::text[], $4::text[]) attached (name, value)
cross join lateral (
    select shard, account_id, opened_at, status, plan from read.accounts_vN where shard = $1 and account_id = $2
) account
on conflict (shard, account_id, name) do update set value = excluded.value
