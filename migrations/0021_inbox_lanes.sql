-- Events that leave something out are asked for beside the others, so that these do not wait for Stripe.
alter table ledger.stripe_inbox add column asks boolean not null default false;
comment on column ledger.stripe_inbox.asks is 'Stripe is asked for what the event leaves out, before it is handled.';
