-- Which accounts have a deadline that has passed?
select account_id, max(due_at) as due_at
from (
    select account_id, due_at from read.deadlines where due_at <= $1 order by due_at, account_id limit $2
) first
group by account_id
order by account_id
