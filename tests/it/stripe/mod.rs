//! What Stripe delivers: is it verified, kept, understood, and is the result the same in any order?

mod amounts;
pub mod bureau;
mod changed;
mod credited;
mod declines;
pub mod desk;
mod discounts;
mod discounts_of_customers;
mod document;
pub mod documents;
mod edge;
mod inbox;
mod order;
mod packs;
mod patience;
mod planted;
mod reports;
mod revenue;
mod send;
mod shares;
mod signature;
mod story;
mod total;
mod traps;
mod unfounded;
mod unpaid;
mod wrong_grants;
