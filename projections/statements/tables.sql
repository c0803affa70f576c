-- Every movement of an account's credits.
create table read.statements_vN (
    account_id text not null,
    sequence bigint not null,
    -- The number of the line within its event, from 0.
    line smallint not null,
    position bigint not null,
    effective_at timestamptz not null,
    recorded_at timestamptz not null,
    kind text not null,
    -- What the line adds to the available credits; negative if it takes.
    amount bigint not null,
    available bigint not null,
    held bigint not null,
    debt bigint not null,
    grant_ids text[] not null,
    description text,
    generation_id text,
    generation_type text,
    constraint statements_line_vN primary key (account_id, sequence, line)
);
