-- Who leads what follows the journal, and until when, by the database's clock. Who is frozen or unreachable loses it, which
-- a lock of a session does not do.
create table read.leases (
    name text primary key,
    holder uuid not null,
    until timestamptz not null
);
call ledger.hand_over_read_models();
