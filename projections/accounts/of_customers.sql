-- Which accounts are these customers linked to?
select customer, account_id
from read.account_customers
where customer = any ($1) and not gone
order by customer, account_id
