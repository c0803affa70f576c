-- Which accounts are these customers linked to?
select found.*
from unnest($1::text[]) wanted (customer)
cross join lateral (
    select customer, account_id
    from read.account_customers known
    where known.customer = wanted.customer and not gone
    offset 0
) found
order by customer, account_id
