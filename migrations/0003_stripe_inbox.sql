-- What Stripe delivered, once by event id, and what became of it.
--
-- No shard in the keys: whose an event is is not known when it comes in. What an event does to an account is in
-- ledger.events; everything here can be found out again by processing the bodies again.

create table ledger.stripe_inbox (
    event_id text not null,
    -- In which order events came in, roughly: a number may become visible late. Nothing that matters rests on it.
    arrival bigint not null generated always as identity,
    event_type text not null,
    -- The shape of the body: Stripe renders an event in the version of the day on which it was made.
    api_version text,
    created_at timestamptz not null,
    livemode boolean not null,
    -- The connected account that it is about, where it is not our own.
    connect_account text,
    -- The name of the secret that verified it; the signature itself is not kept.
    secret text not null,
    -- The bytes that were verified. The first delivery of an event is the one that is kept.
    body bytea not null,
    received_at timestamptz not null,
    -- Whose events are handled one after the other: the customer, else the account, else the event by itself.
    party text not null,
    customer text,
    -- The account that it was found to be about.
    account text,
    state text not null,
    reason text,
    -- How often it was tried in vain.
    attempts integer not null default 0,
    next_attempt_at timestamptz,
    -- When the state last changed.
    changed_at timestamptz not null,
    constraint stripe_inbox_event primary key (event_id),
    constraint stripe_inbox_arrival unique (arrival),
    constraint stripe_inbox_state check (state in (
        'received', 'processed', 'ignored', 'not_handled_yet', 'waiting', 'dead', 'quarantined', 'discarded'
    )),
    constraint stripe_inbox_next_attempt check ((state = 'waiting') = (next_attempt_at is not null))
);
create index stripe_inbox_unfinished on ledger.stripe_inbox (arrival) where state in ('received', 'waiting');
create index stripe_inbox_party on ledger.stripe_inbox (party, arrival) where state in ('received', 'waiting');
create index stripe_inbox_customer on ledger.stripe_inbox (customer) where state in ('waiting', 'dead');
create index stripe_inbox_listed on ledger.stripe_inbox (state, arrival);

-- Which account a customer stands for: an index of the CustomerLinked events, which are the truth.
create table ledger.stripe_links (
    customer text not null,
    account text not null,
    linked_at timestamptz not null,
    constraint stripe_links_customer primary key (customer, account)
);
