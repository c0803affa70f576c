//! What Stripe delivers: is it verified, kept, understood, and is the result the same in any order?

pub mod bureau;
mod changed;
mod declines;
mod desk;
mod document;
pub mod documents;
mod edge;
mod inbox;
mod order;
mod revenue;
mod send;
mod signature;
mod story;
mod total;
mod traps;
mod wrong_grants;
