//! Where is the truth kept? Events are appended durably and in one order, and read again.

pub mod aggregate;
pub mod append;
pub mod earlier_accounts;
pub mod feed;
pub mod find;
pub mod grow;
pub mod history;
pub mod load;
mod loaded_account;
pub mod merkle;
pub mod preconditions;
pub mod probe;
pub mod range;
pub mod row;
pub mod sharding;
pub mod shards;
pub mod snapshot;
pub mod store;
pub mod unique;
pub mod upcast;
