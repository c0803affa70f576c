-- How large is the journal, and how is it kept?
select
    (select coalesce(sum(position), 0)::bigint from ledger.heads) as events,
    pg_total_relation_size(oid) as bytes,
    coalesce(reloptions, '{}') as options,
    coalesce(pg_stat_get_live_tuples(oid), 0) as rows,
    coalesce(pg_stat_get_mod_since_analyze(oid), 0) as changed,
    extract(epoch from clock_timestamp() - greatest(
        pg_stat_get_last_analyze_time(oid), pg_stat_get_last_autoanalyze_time(oid)
    ))::bigint as analyzed_s
from pg_class
where oid = 'ledger.events'::regclass
