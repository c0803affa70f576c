//! What do operators manage? Keys, the inbox, the read models, and audits. And how is the ledger divided?

pub mod api_keys;
pub mod audit;
pub mod inbox;
pub mod projections;
pub mod shards;
pub mod webhooks;
