-- Which account a payment or an invoice bought credits for: an index of the PaymentSucceeded and PaymentLinked
-- events, which are the truth. Refunds and disputes name nothing but the payment.
create table ledger.stripe_payments (
    payment text not null,
    account text not null,
    known_at timestamptz not null,
    constraint stripe_payments_payment primary key (payment)
);

insert into ledger.stripe_payments (payment, account, known_at)
select distinct on (bought.payment) bought.payment, bought.account, bought.known_at
from (
    select event.payload -> 'PaymentSucceeded' ->> 'payment' as payment, event.aggregate_id as account,
        event.recorded_at as known_at
    from ledger.events as event
    where event.event_type = 'PaymentSucceeded'
) as bought
order by bought.payment, bought.known_at;

-- The payment or invoice that has to be known before the event can be handled, where there is one.
alter table ledger.stripe_inbox add column payment text;
create index stripe_inbox_payment on ledger.stripe_inbox (payment) where payment is not null;
