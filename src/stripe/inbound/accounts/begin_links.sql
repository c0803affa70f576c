-- Notes that customers ($1) are becoming accounts' ($2), for as long as a command takes or for good ($3), but for those
-- that stand for an account already or are becoming another's. In one order, so that nobody waits for each other; to
-- count makes each customer one look-up in an index.
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
