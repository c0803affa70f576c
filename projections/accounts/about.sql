-- Which customers and metadata do these accounts ($2) of a shard have?
select
    account.account_id,
    coalesce(linked.customers, '{}') as customers,
    coalesce(attached.metadata, '{}') as metadata
from unnest($2::text[]) account (account_id)
left join lateral (
    select array_agg(customer order by customer) as customers
    from read.account_customers customers
    where customers.shard = $1 and customers.account_id = account.account_id and not gone
) linked on true
left join lateral (
    select jsonb_object_agg(name, value) as metadata
    from read.account_metadata pairs
    where pairs.shard = $1 and pairs.account_id = account.account_id
) attached on true
