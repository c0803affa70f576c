-- Reserves customers ($1) for accounts ($2), for as long as a command takes or for good ($3), except those that are
-- linked or reserved already. They are sorted, so that two of these do not wait for each other; with the count, each
-- customer needs one look-up in an index.
insert into ledger.stripe_links_begun as begun (customer, account, commands, since)
select link.customer, link.account, 1, case when link.for_good then 'infinity' else clock_timestamp() end
from unnest($1::text[], $2::text[], $3::boolean[]) as link (customer, account, for_good)
cross join lateral (
    select count(*) as accounts from ledger.stripe_links where stripe_links.customer = link.customer offset 0
) as linked
where linked.accounts = 0
order by link.customer
on conflict on constraint stripe_links_begun_customer do update
set commands = begun.commands + 1, since = greatest(begun.since, excluded.since)
where begun.account = excluded.account
returning customer
