-- Says that an instance is there, at an address, and returns those that have said so in the last seconds ($3).
with own as (
    insert into ledger.instances (id, address, beat)
    values ($1, $2, now())
    on conflict (id) do update set address = excluded.address, beat = excluded.beat
),
gone as (
    delete from ledger.instances where beat < now() - interval '1 minute'
)
select id, address from ledger.instances where beat > now() - make_interval(secs => $3)
