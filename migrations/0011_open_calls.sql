-- Calls to Stripe whose outcome nobody knows are asked again by the program itself.
--
-- `untouched`: written down, and nothing has happened at Stripe: not asked yet, or turned away unread. Only its caller asks
-- again. `open`: asked, and it may have happened. `lost`: it may have happened, and Stripe has forgotten the key since.

alter table ledger.stripe_calls
    -- When Stripe was first asked of what is open now. It knows a key for a day from then.
    add column asked_at timestamptz not null default now(),
    -- How often it was asked, so that who was turned away knows whether somebody else asked meanwhile.
    add column askings integer not null default 0,
    -- When the program asks again by itself.
    add column resolve_at timestamptz not null default now(),
    add column resolvings integer not null default 0;

update ledger.stripe_calls set asked_at = begun_at, resolve_at = begun_at;

alter table ledger.stripe_calls drop constraint stripe_calls_state;
alter table ledger.stripe_calls drop constraint stripe_calls_answer;
alter table ledger.stripe_calls
    add constraint stripe_calls_state check (state in ('untouched', 'open', 'done', 'rejected', 'lost')),
    add constraint stripe_calls_answer check ((state in ('done', 'rejected')) = (answer is not null));

create index stripe_calls_open on ledger.stripe_calls (resolve_at) where state = 'open';
-- Pages are the only calls that are ever forgotten.
create index stripe_calls_pages on ledger.stripe_calls (changed_at)
where operation in ('checkout_session', 'portal_session');
