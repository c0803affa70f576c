-- The instances of the program that work on this ledger, and send each other the commands of the accounts that the other
-- one writes. Who has not been there for some seconds is not counted.
create table ledger.instances (
    id uuid primary key,
    -- Where its routes begin, such as http://10.0.0.5:8080.
    address text not null,
    -- When it last said that it is there, by the database's clock.
    beat timestamptz not null
);
