-- Payments, by invoice, or by payment if there is no invoice.
create table read.payments_vN (
    shard smallint not null,
    account_id text not null,
    paid text collate "C" not null,
    -- `subscription` or `pack`; other payments are not recorded.
    kind text not null,
    paid_at timestamptz not null,
    minor bigint not null,
    currency text not null,
    subscription text,
    plan text,
    pack text,
    quantity bigint,
    constraint payments_paid_vN primary key (shard, account_id, paid)
);
create index payments_kind_vN on read.payments_vN (kind, paid_at desc, account_id desc, paid desc);

-- Which payment paid an invoice.
create table read.payment_links_vN (
    shard smallint not null,
    account_id text not null,
    invoice text collate "C" not null,
    payment text collate "C" not null,
    constraint payment_links_payment_vN primary key (shard, account_id, invoice, payment)
);
create index payment_links_of_payment_vN on read.payment_links_vN (shard, account_id, payment);

create table read.refunds_vN (
    shard smallint not null,
    account_id text not null,
    refund text collate "C" not null,
    payment text not null,
    refunded_at timestamptz not null,
    minor bigint not null,
    currency text not null,
    -- The money did not reach the customer and was returned to the business.
    failed boolean not null,
    constraint refunds_refund_vN primary key (shard, account_id, refund)
);
create index refunds_time_vN on read.refunds_vN (refunded_at desc, account_id desc, refund desc);
