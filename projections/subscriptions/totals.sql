-- Which totals does one version of the read model have?
select concat_ws(
    E'\n',
    (select 'reports ' || count(*) from read.subscription_reports_vN),
    (select 'reports hash ' || coalesce(sum(hashtextextended(report::text, 0)::numeric), 0)
        from read.subscription_reports_vN report),
    (select 'requests ' || count(*) || ' hash ' || coalesce(sum(hashtextextended(request::text, 0)::numeric), 0)
        from read.subscription_requests_vN request),
    (select 'subscriptions ' || count(*) from read.subscriptions_vN),
    (select 'subscriptions hash ' || coalesce(sum(hashtextextended(subscription::text, 0)::numeric), 0)
        from read.subscriptions_vN subscription)
)
