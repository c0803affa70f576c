-- Which totals does one version of the read model have?
select concat_ws(
    E'\n',
    'lines ' || count(*),
    'amounts ' || coalesce(sum(amount), 0),
    'available ' || coalesce(sum(available), 0),
    'rows ' || coalesce(sum(hashtextextended(line::text, 0)::numeric), 0)
) from read.statements_vN line
