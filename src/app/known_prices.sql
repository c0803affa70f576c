-- What does each price id mean that a catalog ever had?
select price_id, plan, pack, interval, minor, currency from ledger.price_ids
