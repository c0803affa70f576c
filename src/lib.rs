//! Counterfoil: a credit ledger. `docs/ARCHITECTURE.md` says how the parts fit.

pub mod app;
pub mod audit;
pub mod auth;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod http;
pub mod journal;
pub mod ledger;
pub mod load;
pub mod postgres;
// The read models have a folder of their own at the top, one a question, so that they are found without knowing
// the program. They are a module of this crate all the same.
#[path = "../projections/mod.rs"]
pub mod projections;
pub mod projector;
pub mod queries;
pub mod sandbox;
pub mod scheduler;
pub mod stripe;
pub mod telemetry;
