//! Counterfoil: a credit ledger. `docs/ARCHITECTURE.md` says how the parts fit.

// Parts that know nothing of the rest are crates of their own, in crates/.
#[cfg(feature = "sandbox")]
pub use sandbox;
pub use {catalog, clock, domain, load, postgres};

pub mod app;
pub mod audit;
pub mod auth;
pub mod cli;
pub mod config;
pub mod consumer;
pub mod http;
pub mod instances;
pub mod journal;
pub mod ledger;
// The read models are in a folder at the top level, so that they are easily found.
// They are still a module of this crate.
#[path = "../projections/mod.rs"]
pub mod projections;
pub mod projector;
pub mod queries;
pub mod queue;
pub mod scheduler;
pub mod stripe;
pub mod telemetry;
