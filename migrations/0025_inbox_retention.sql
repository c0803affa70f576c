-- A document is kept for a while after its event is over, and then taken away. What an earlier release stored whole is
-- blanked as what comes now is.
alter table ledger.stripe_inbox alter column body drop not null;
alter table ledger.stripe_inbox add column blanked boolean not null default false;
comment on column ledger.stripe_inbox.body is 'The document without what is about people and cards; null once it is not kept any more.';
comment on column ledger.stripe_inbox.blanked is 'Whether what is about people and cards was taken out.';

create index stripe_inbox_whole on ledger.stripe_inbox (arrival) where not blanked;
create index stripe_inbox_over on ledger.stripe_inbox (changed_at)
    where body is not null and state in ('processed', 'ignored', 'discarded');
