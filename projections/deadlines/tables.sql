-- When something of an account will be due.
create table read.deadlines_vN (
    shard smallint not null,
    account_id text not null,
    due_at timestamptz not null,
    constraint deadlines_due_vN primary key (shard, account_id, due_at)
);
create index deadlines_time_vN on read.deadlines_vN (due_at, account_id);
