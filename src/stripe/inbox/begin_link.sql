-- Notes that a customer ($1) is becoming an account's ($2), for as long as a command takes or for good ($3), unless it stands
-- for an account already, or is becoming another's.
insert into ledger.stripe_links_begun as begun (customer, account, commands, since)
select $1, $2, 1, case when $3 then 'infinity' else clock_timestamp() end
where not exists (select from ledger.stripe_links where customer = $1)
on conflict on constraint stripe_links_begun_customer do update
set commands = begun.commands + 1, since = greatest(begun.since, excluded.since)
where begun.account = excluded.account
