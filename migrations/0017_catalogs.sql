-- What holds for those who are on a plan that the catalog does not have any more: the terms of the last catalog that had it.

-- Which catalog held from when on, a row for each change.
create table ledger.catalog_changes (
    number bigint generated always as identity,
    hash text not null,
    loaded_at timestamptz not null,
    constraint catalog_changes_number primary key (number),
    constraint catalog_changes_catalog foreign key (hash) references ledger.catalogs (hash)
);

insert into ledger.catalog_changes (hash, loaded_at)
select hash, loaded_at from ledger.catalogs order by loaded_at;

-- What a price id at Stripe stood for, the last time that a catalog and its settings named it. Settings are not in the
-- catalog's text, and whoever takes a plan out of the file takes its settings out, too.
create table ledger.price_ids (
    price_id text not null,
    -- One of the two.
    plan text,
    pack text,
    -- `month` or `year` of a plan.
    interval text,
    minor bigint not null,
    currency text not null,
    seen_at timestamptz not null,
    constraint price_ids_price_id primary key (price_id),
    constraint price_ids_of_one_thing check ((plan is null) <> (pack is null)),
    constraint price_ids_interval check ((plan is null) = (interval is null))
);
