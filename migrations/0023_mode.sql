-- What the ledger is for, from its first start on: whose customers and prices its ids are.
create table ledger.mode (
    -- One row at most.
    one boolean primary key default true check (one),
    mode text not null check (mode in ('sandbox', 'test', 'live')),
    since timestamptz not null
);
