-- What was asked of Stripe, written down before it was asked, and what came of it.
--
-- A call whose outcome is not known stays `open` with the key that it had at Stripe, so that asking again, by whichever
-- instance, cannot do it twice. No personal data: an e-mail address is passed on and is in no column.

create table ledger.stripe_calls (
    account text not null,
    -- What it is about, such as `checkout_session`.
    operation text not null,
    -- The caller's own key.
    idempotency_key text not null,
    -- The key at Stripe: made of the three above.
    stripe_key text not null,
    -- SHA-256 of what the caller asked for, to know a repetition by.
    asked bytea not null,
    -- What Stripe is asked, resolved: prices and customer stay those of the first time.
    request json not null,
    state text not null,
    answer json,
    begun_at timestamptz not null,
    changed_at timestamptz not null,
    constraint stripe_calls_key primary key (account, operation, idempotency_key),
    constraint stripe_calls_stripe_key unique (stripe_key),
    constraint stripe_calls_state check (state in ('open', 'done', 'rejected')),
    constraint stripe_calls_answer check ((state = 'open') = (answer is null))
);
-- How many were begun lately.
create index stripe_calls_begun on ledger.stripe_calls (account, operation, begun_at);
