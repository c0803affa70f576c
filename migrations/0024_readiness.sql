-- Written to by whoever asks whether the database takes anything.
create table ledger.readiness (
    -- One row at most.
    one boolean primary key default true check (one),
    at timestamptz not null
);
