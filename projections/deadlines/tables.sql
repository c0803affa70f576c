-- When something of an account will be due.
create table read.deadlines_vN (
    account_id text not null,
    due_at timestamptz not null,
    constraint deadlines_due_vN primary key (due_at, account_id)
);
