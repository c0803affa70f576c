-- What happened to money that was paid in advance, by interval, currency, source and kind?
select days.currency, span.place, days.source, days.kind, sum(days.minor)::text as minor
from unnest($1::integer[], $2::date[], $3::date[]) as span (place, first, until)
join read.deferred_days days on days.day >= span.first and days.day < span.until
where ($4::text is null or days.currency = $4) and ($5::text is null or days.source = $5)
group by days.currency, span.place, days.source, days.kind
order by days.currency, span.place, days.source, days.kind
