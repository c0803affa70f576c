-- Which totals does one version of the read model have?
select concat_ws(
    E'\n',
    'rows ' || count(*),
    'count ' || coalesce(sum(count), 0),
    'credits ' || coalesce(sum(credits), 0),
    'refunds ' || coalesce(sum(refunds), 0),
    'credits refunded ' || coalesce(sum(credits_refunded), 0),
    'hash ' || coalesce(sum(hashtextextended(usage::text, 0)::numeric), 0)
) from read.usage_vN usage
