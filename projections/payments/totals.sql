-- Which totals does one version of the read model have?
select concat_ws(
    E'\n',
    (select 'payments ' || count(*) from read.payments_vN),
    (select 'payments hash ' || coalesce(sum(hashtextextended(payment::text, 0)::numeric), 0)
        from read.payments_vN payment),
    (select 'links hash ' || coalesce(sum(hashtextextended(link::text, 0)::numeric), 0)
        from read.payment_links_vN link),
    (select 'refunds ' || count(*) from read.refunds_vN),
    (select 'refunds hash ' || coalesce(sum(hashtextextended(refund::text, 0)::numeric), 0) from read.refunds_vN refund)
)
