-- Credits and counts of an account, by quarter of an hour and type of generation.
create table read.usage_vN (
    shard smallint not null,
    account_id text not null,
    -- The start of the quarter of an hour. The days of all time zones begin with one.
    quarter timestamptz not null,
    -- Empty for credits that were deducted as an amount, without a generation.
    generation_type text not null,
    count bigint not null,
    credits bigint not null,
    refunds bigint not null,
    credits_refunded bigint not null,
    constraint usage_quarter_vN primary key (shard, account_id, quarter, generation_type)
) with (fillfactor = 70);
