-- Events that were fetched, because they were never delivered, go through the same inbox as those that were.

-- Why an event is believed: `signed` was delivered and verified; `listed` was read from Stripe's list of events with our
-- key; `rebuilt` was made of an object that was read with our key, because no event tells of it. The default is for
-- instances of the release before, which go on while this one starts.
alter table ledger.stripe_inbox add column proof text not null default 'signed';
alter table ledger.stripe_inbox alter column secret drop not null;
alter table ledger.stripe_inbox
    add constraint stripe_inbox_proof check (proof in ('signed', 'listed', 'rebuilt')),
    add constraint stripe_inbox_secret check ((proof = 'signed') = (secret is not null));

-- The object that the event is about, to find out which events tell of it.
alter table ledger.stripe_inbox add column object text;

-- Of what is there already. Bodies are JSON, but may hold text that PostgreSQL does not: such an event stays unfound.
create function ledger.stripe_object_of(body bytea) returns text
language plpgsql
immutable
as $$
begin
    return convert_from(body, 'UTF8')::json #>> '{data,object,id}';
exception
    when others then return null;
end
$$;
update ledger.stripe_inbox set object = ledger.stripe_object_of(body);
drop function ledger.stripe_object_of(bytea);

create index stripe_inbox_object on ledger.stripe_inbox (object) where object is not null;

-- What each night's comparison with Stripe came to: one row a night, whichever instance did it.
create table ledger.stripe_reconciliations (
    night date not null,
    begun_at timestamptz not null,
    ended_at timestamptz not null,
    report json not null,
    constraint stripe_reconciliations_night primary key (night)
);
