-- For which account is a customer ($1) reserved, and is that longer ago than a command can take ($2, in seconds)?
select account, since < clock_timestamp() - make_interval(secs => $2) as is_stale
from ledger.stripe_links_begun
where customer = $1
