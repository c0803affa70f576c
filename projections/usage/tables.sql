create table read.usage_vN (
    account_id text not null,
    day date not null,
    -- Empty for credits that were spent on something that the caller named.
    generation_type text not null,
    count bigint not null,
    credits bigint not null,
    refunds bigint not null,
    credits_refunded bigint not null,
    constraint usage_day_vN primary key (account_id, day, generation_type)
) with (fillfactor = 70);
