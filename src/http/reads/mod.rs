//! What can be asked about accounts? Here are the answers that come from an account's own events.
//!
//! They always include what a command acknowledged, whichever instance is asked, and are right at the time of the
//! request even if no job has run: what is due because time passed is included.

pub mod accounts;
pub mod all_subscriptions;
pub mod balance;
pub mod catalog;
pub mod events;
pub mod history;
pub mod holdings;
pub mod interval;
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
