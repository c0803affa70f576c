-- Adds accounts that were opened.
insert into read.accounts_vN (account_id, shard, opened_at, free_plan, status, plan, position)
select account_id, shard, opened_at, free_plan, 'open', free_plan, position
from unnest($1::text[], $2::smallint[], $3::timestamptz[], $4::text[], $5::bigint[])
    as opened (account_id, shard, opened_at, free_plan, position)
