-- Stores an account's metadata.
--
-- All of it is replaced each time.
with gone as (
    delete from read.account_metadata_vN where account_id = $1 and name <> all ($2)
)
insert into read.account_metadata_vN (account_id, name, value, opened_at, status, plan)
select account.account_id, attached.name, attached.value, account.opened_at, account.status, account.plan
from unnest($2::text[], $3::text[]) attached (name, value)
cross join lateral (
    select account_id, opened_at, status, plan from read.accounts_vN where account_id = $1
) account
on conflict (account_id, name) do update set value = excluded.value
