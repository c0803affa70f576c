-- Which of these leases ($1) does a process ($2) have, for so many seconds ($3) from now?
insert into read.leases as known (name, holder, until)
select name, $2, now() + make_interval(secs => $3)
from unnest($1::text[]) as wanted (name)
order by name
on conflict (name) do update set holder = excluded.holder, until = excluded.until
where known.holder = excluded.holder or known.until < now()
returning name
