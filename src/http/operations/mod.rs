//! What do operators manage? Keys, the inbox, the read models, and audits.

pub mod api_keys;
pub mod audit;
pub mod inbox;
pub mod projections;
pub mod webhooks;
