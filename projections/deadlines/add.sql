-- Adds deadlines of accounts.
insert into read.deadlines_vN (account_id, due_at)
select * from unnest($1::text[], $2::timestamptz[])
on conflict do nothing
