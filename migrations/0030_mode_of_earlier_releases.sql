-- A ledger of an earlier release does not say what it is for. What Stripe's last handled event was says it, since events of
-- another mode were always set aside; where Stripe was never heard of, keys for real money say so. Where neither speaks,
-- the next start decides, as it does for a new ledger.
insert into ledger.mode (mode, since)
select case when livemode then 'live' when secret = 'sandbox' then 'sandbox' else 'test' end, received_at
from ledger.stripe_inbox
where state = 'processed'
order by arrival desc
limit 1
on conflict do nothing;

insert into ledger.mode (mode, since)
select 'live', created_at
from ledger.api_keys
where prefix like 'cf\_live\_%'
order by created_at
limit 1
on conflict do nothing;

-- What a ledger is for is said once, also by the program.
revoke update, delete, truncate on ledger.mode from counterfoil_service;
