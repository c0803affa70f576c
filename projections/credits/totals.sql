-- Which totals does one version of the read model have?
select concat_ws(
    E'\n',
    'quarters ' || (select count(*) from read.credits_quarters_vN),
    'accounts ' || (select count(*) from read.credits_accounts_vN),
    (
        select concat_ws(
            E'\n',
            'available ' || coalesce(sum(available), 0),
            'held ' || coalesce(sum(held), 0),
            'debt ' || coalesce(sum(debt), 0),
            'hash of months ' || coalesce(sum(hashtextextended(months::text, 0)::numeric), 0)
        ) from read.credits_months_vN months
    ),
    (
        select 'hash of days ' || coalesce(sum(hashtextextended(days::text, 0)::numeric), 0)
        from read.credits_days_vN days
    ),
    (
        select 'hash of quarters ' || coalesce(sum(hashtextextended(quarters::text, 0)::numeric), 0)
        from read.credits_quarters_vN quarters
    ),
    (
        select 'hash of accounts ' || coalesce(sum(hashtextextended(accounts::text, 0)::numeric), 0)
        from read.credits_accounts_vN accounts
    )
)
