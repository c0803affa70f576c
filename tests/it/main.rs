//! Everything that is tested from outside of the library, in one program: one link, one database server.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a test that meets what it did not expect has failed, and may say so by panicking"
)]

mod api;
mod architecture;
mod audit;
mod billing;
// Histories and commands, as the domain's own tests write them.
#[path = "../domain/builders/mod.rs"]
#[allow(dead_code, reason = "other tests than these use the rest")]
mod builders;
mod businesses;
mod cases;
mod catalog;
mod cli;
mod consumer;
mod contracts;
mod crash;
mod examples;
mod journal;
mod load;
mod plans;
mod postgres;
mod projections;
mod readme;
mod roles;
mod sandbox;
mod scheduler;
mod setup;
mod sql;
mod statements;
mod story;
mod stripe;
mod support;
mod truth;
mod upgrades;
mod vocabulary;
