//! What do tests of every part use?

pub mod browser;
pub mod database;
pub mod heard;
pub mod ledger;
pub mod node;
pub mod optional;
pub mod program;
pub mod python;
mod scratch;
mod server;

pub use scratch::Scratch;
