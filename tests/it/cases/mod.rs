//! Inputs of Stripe's that once ended in credits for nothing, in credits paid for and lost, or in access that was not
//! paid for: does each end as is right, in whatever order and however often it is told?
//!
//! Of the music platform: 50 credits for signing up; Basic 500 a month for 9.99, Creator 1,500 for 19.99, Team 5,000
//! for 29.99.

mod access;
pub mod catalogs;
mod changes;
mod commands;
mod compared;
mod currencies;
mod documents;
mod given_back;
mod purchases;
mod reports;
mod retired;
mod seen;
mod siblings;
pub mod told;
mod trials;
