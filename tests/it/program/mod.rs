//! The highest level: the whole program runs, as a process or as `App` in this one, as its users start it. The sandbox
//! stands in for Stripe.

mod api;
mod billing;
mod businesses;
mod cases;
mod catalog;
mod cli;
mod crash;
mod examples;
mod readme;
mod setup;
