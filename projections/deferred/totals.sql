-- Which totals does one version of the read model have?
select concat_ws(
    E'\n',
    (
        select concat_ws(
            E'\n',
            'deferred ' || coalesce(sum(deferred), 0),
            'hash of months ' || coalesce(sum(hashtextextended(months::text, 0)::numeric), 0)
        ) from read.deferred_months_vN months
    ),
    (
        select 'hash of days ' || coalesce(sum(hashtextextended(days::text, 0)::numeric), 0)
        from read.deferred_days_vN days
    ),
    (
        select concat_ws(
            E'\n',
            'lots ' || count(*),
            'hash of lots ' || coalesce(sum(hashtextextended(lots::text, 0)::numeric), 0)
        ) from read.deferred_lots_vN lots
    ),
    (
        select 'hash of facts ' || coalesce(sum(hashtextextended(facts::text, 0)::numeric), 0)
        from read.deferred_facts_vN facts
    ),
    (
        select 'hash of spans ' || coalesce(sum(hashtextextended(spans::text, 0)::numeric), 0)
        from read.deferred_spans_vN spans
    ),
    (
        select 'hash of accounts ' || coalesce(sum(hashtextextended(accounts::text, 0)::numeric), 0)
        from read.deferred_accounts_vN accounts
    )
)
