-- Links customers ($1) to accounts ($2), and ends their reservations. With the offset, each customer needs one look-up
-- in an index.
with linked as (
    select link.customer, link.account from unnest($1::text[], $2::text[]) as link (customer, account)
),
ended as (
    delete from ledger.stripe_links_begun
    where customer in (
        select begun.customer
        from linked
        cross join lateral (
            select customer, account from ledger.stripe_links_begun
            where stripe_links_begun.customer = linked.customer
            offset 0
        ) as begun
        where begun.account = linked.account
    )
)
insert into ledger.stripe_links (customer, account, linked_at)
select customer, account, $3
from linked
order by customer
on conflict on constraint stripe_links_customer do nothing
