//! The lowest level: nothing is started. Functions are called, and what they answer is looked at.
//!
//! `cargo xtask test functions::` needs no database. Only `truth::money` lets customers live in the sandbox first.

pub mod cases;
mod catalog;
mod contracts;
mod stripe;
pub mod truth;
