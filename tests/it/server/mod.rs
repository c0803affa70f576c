//! A level higher: a server listens on loopback, in this process, on a database of its own. Where Stripe is asked, the
//! sandbox stands in for it.

mod api;
mod billing;
pub mod cases;
mod load;
mod partitions;
mod plans;
mod story;
mod truth;
