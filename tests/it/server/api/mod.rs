//! What do callers of the HTTP API see? Every answer in here is also held against the OpenAPI document.

mod bad_input;
mod batches;
mod budgets;
mod clients;
mod clock;
pub mod coverage;
mod crowd;
mod document;
mod examples;
mod explored;
mod faults;
mod figures;
mod generations;
mod grown;
mod guarded;
mod keys;
mod mangled;
mod matrix;
mod moving;
mod refunds;
mod reports;
mod sharded;
mod sharing;
mod stalls;
mod stopping;
