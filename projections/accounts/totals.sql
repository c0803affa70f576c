-- Which totals does one version of the read model have?
select concat_ws(
    E'\n',
    (select 'accounts ' || count(*) || ' hash ' || coalesce(sum(hashtextextended(account::text, 0)::numeric), 0)
        from read.accounts_vN account),
    (select 'customers ' || count(*) || ' hash ' || coalesce(sum(hashtextextended(customer::text, 0)::numeric), 0)
        from read.account_customers_vN customer),
    (select 'metadata ' || count(*) || ' hash ' || coalesce(sum(hashtextextended(attached::text, 0)::numeric), 0)
        from read.account_metadata_vN attached),
    (select 'plans ' || count(*) || ' hash ' || coalesce(sum(hashtextextended(plan::text, 0)::numeric), 0)
        from read.account_plans_vN plan)
)
