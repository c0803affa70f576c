insert into ledger.stripe_links (customer, account, linked_at)
select link.customer, link.account, $3
from unnest($1::text[], $2::text[]) as link (customer, account)
on conflict on constraint stripe_links_customer do nothing
