-- Whose turn it is to sell to an account. Two requests of one moment would each see an account without the other's sale.
--
-- A turn ends with its request; one that nobody ends, because the program was killed, is over after a while, by this
-- database's clock.

create table ledger.sale_turns (
    account text not null,
    token uuid not null,
    until timestamptz not null,
    constraint sale_turns_key primary key (account)
);
