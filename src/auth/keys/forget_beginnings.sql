-- Deletes the stored first characters of the key with this hash ($1), and of every key that was not generated here.
update ledger.api_keys set prefix = ''
where prefix <> '' and (hash = $1 or prefix !~ '^cf_(test|live)_')
