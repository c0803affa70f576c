-- Reserves a customer ($1) for an account ($2) instead of the one ($3) that reserved it longer ago than a command can
-- take ($4, in seconds): for as long as a command takes, or for good ($5).
update ledger.stripe_links_begun
set account = $2, commands = 1, since = case when $5 then 'infinity' else clock_timestamp() end
where customer = $1 and account = $3 and since < clock_timestamp() - make_interval(secs => $4)
