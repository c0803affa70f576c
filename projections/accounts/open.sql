-- Adds accounts that were opened.
insert into read.accounts_vN (shard, account_id, opened_at, free_plan, status, plan, position)
select shard, account_id, opened_at, free_plan, 'open', free_plan, position
from unnest($1::smallint[], $2::text[], $3::timestamptz[], $4::text[], $5::bigint[])
    as opened (shard, account_id, opened_at, free_plan, position)
