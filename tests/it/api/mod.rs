//! What do callers of the HTTP API see? Every answer in here is also held against the OpenAPI document.

mod bad_input;
mod batches;
mod clients;
mod clock;
pub mod coverage;
mod crowd;
mod document;
mod examples;
mod explored;
mod faults;
mod floods;
mod generations;
mod guarded;
mod keys;
mod mangled;
mod matrix;
mod metrics;
mod moving;
mod proxies;
mod raw;
mod reports;
pub mod server;
mod sharing;
pub mod specification;
mod stalls;
mod stopping;
