-- What else is shown of the accounts of a page?
--
-- The last event is read from the journal itself, with one index look-up for each account of the page: a row that every
-- event changes would cost the projector more than everything else in this read model.
select
    coalesce(linked.customers, '{}') as customers,
    coalesce(attached.metadata, '{}') as metadata,
    last.event_type as last_event,
    last.recorded_at as last_event_at,
    last.sequence as last_sequence,
    last.position as last_position
from unnest($1::smallint[], $2::text[]) with ordinality account (shard, account_id, place)
left join lateral (
    select array_agg(customer order by customer) as customers
    from read.account_customers customers
    where customers.account_id = account.account_id and not gone
) linked on true
left join lateral (
    select jsonb_object_agg(name, value) as metadata
    from read.account_metadata pairs
    where pairs.account_id = account.account_id
) attached on true
left join lateral (
    select event_type, recorded_at, sequence, position
    from ledger.events
    where shard = account.shard and aggregate_id = account.account_id
    order by sequence desc
    limit 1
) last on true
order by account.place
