//! Do inputs that once went wrong end right, as do similar ones? They had ended in credits for nothing, in credits paid
//! for and lost, or in access that was not paid for; each is told in whatever order and however often.
//!
//! Of the music platform: 50 credits for signing up; Basic 500 a month for 9.99, Creator 1,500 for 19.99, Team 5,000
//! for 29.99.

mod access;
mod changes;
mod compared;
mod currencies;
pub mod documents;
mod given_back;
mod purchases;
mod reports;
mod seen;
pub mod told;
mod trials;
