-- Which totals does one version of the read model have?
select concat_ws(
    E'\n',
    (select 'reports ' || count(*) from read.mrr_reports_vN),
    (select 'payments ' || count(*) from read.mrr_payments_vN),
    (select 'discounts ' || count(*) from read.mrr_discounts_vN),
    (select 'requests ' || count(*) from read.mrr_requests_vN),
    (select 'at risk hash ' || coalesce(sum(hashtextextended(risk::text, 0)::numeric), 0)
        from read.mrr_at_risk_vN risk),
    (select 'mrr ' || coalesce(string_agg(currency || ' ' || sum, ', ' order by currency), '')
        from (
            select currency, sum(after - before) as sum from read.mrr_movements_vN group by currency
        ) figures),
    (select 'days hash ' || coalesce(sum(hashtextextended(sums::text, 0)::numeric), 0) from read.mrr_days_vN sums),
    (select 'months hash ' || coalesce(sum(hashtextextended(sums::text, 0)::numeric), 0)
        from read.mrr_months_vN sums),
    (select 'restated months hash ' || coalesce(sum(hashtextextended(restated::text, 0)::numeric), 0)
        from read.mrr_restated_months_vN restated),
    (select 'movements hash ' || coalesce(sum(hashtextextended(movement::text, 0)::numeric), 0)
        from read.mrr_movements_vN movement),
    (select 'restatements hash ' || coalesce(sum(hashtextextended(restatement::text, 0)::numeric), 0)
        from read.mrr_restatements_vN restatement)
)
