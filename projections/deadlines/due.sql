-- Which accounts of these shards ($3) have a deadline that has passed?
select shard, account_id, max(due_at) as due_at
from (
    select shard, account_id, due_at from read.deadlines
    where shard = any ($3) and due_at <= $1 order by due_at, account_id limit $2
) first
group by shard, account_id
order by account_id
