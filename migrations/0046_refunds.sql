-- What was refunded of a deduction is found here. Accounts remember only their last refunds.
create index events_refunds on ledger.events (shard, aggregate_id, (payload #>> '{CreditsRefunded,deduction_id}'))
    where event_type = 'CreditsRefunded';
