//! What do tests of several levels start, and what do they tell it?

pub mod browser;
pub mod bureau;
pub mod catalogs;
mod cluster;
pub mod database;
pub mod desk;
pub mod dice;
pub mod documents;
pub mod heard;
pub mod http;
pub mod in_process;
pub mod ledger;
pub mod node;
pub mod optional;
pub mod pages;
pub mod program;
pub mod proxy;
pub mod python;
pub mod receiver;
mod scratch;
pub mod shards;
pub mod shop;
pub mod specification;
pub mod statements;
pub mod stripe_account;

pub use scratch::Scratch;
