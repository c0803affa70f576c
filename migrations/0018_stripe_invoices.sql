-- What was paid is handled again where a report that came late says that the subscription had moved to another account.
create index stripe_inbox_invoices on ledger.stripe_inbox (party, created_at)
    where state = 'processed' and event_type like 'invoice%';
