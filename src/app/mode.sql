-- Which mode does the database have?
select mode from ledger.mode
