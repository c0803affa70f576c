//! What can be asked about accounts? Here: what they are, exactly, from their own events.
//!
//! These answers are never behind what a command acknowledged, whichever instance is asked, and they are right by
//! the clock even if no job has run: what is due because time passed is taken into account.

pub mod accounts;
pub mod all_subscriptions;
pub mod analytics;
pub mod balance;
pub mod catalog;
pub mod events;
pub mod history;
pub mod holdings;
pub mod money;
pub mod overview;
pub mod page;
pub mod plan;
pub mod statement;
pub mod subscriptions;
pub mod time;
pub mod usage;

use super::{
    response::{as_of, fresh, json, write_position},
    since::{SinceQuery, now, wait},
};
