//! Counterfoil: a credit ledger. `docs/ARCHITECTURE.md` says how the parts fit.

// What knows nothing of the rest is a crate of its own, under crates/.
pub use {catalog, clock, domain, load, postgres, sandbox};

pub mod app;
pub mod audit;
pub mod auth;
pub mod cli;
pub mod config;
pub mod consumer;
pub mod http;
pub mod journal;
pub mod ledger;
// The read models have a folder of their own at the top, one a question, so that they are found without knowing
// the program. They are a module of this crate all the same.
#[path = "../projections/mod.rs"]
pub mod projections;
pub mod projector;
pub mod queries;
pub mod queue;
pub mod scheduler;
pub mod stripe;
pub mod telemetry;
