//! What do operators look after? Keys, the inbox, the projections, and the proof.

pub mod api_keys;
pub mod audit;
pub mod inbox;
pub mod projections;
pub mod webhooks;
