//! What tests of every part need.

pub mod database;
pub mod ledger;
pub mod program;
mod scratch;
mod server;

pub use scratch::Scratch;
