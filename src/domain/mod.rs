//! What are the rules? All of them, and nothing else: no clock, no randomness, no I/O, no framework.

pub mod account;
pub mod amendment;
pub mod amount;
mod arrears;
pub mod catalog;
pub mod charges;
pub mod command;
pub mod credits;
pub mod decide;
pub mod event;
pub mod facts;
pub mod foresight;
pub mod invoice;
pub mod limits;
pub mod months;
pub mod names;
mod pairs;
pub mod payments;
mod purpose;
pub mod refusal;
mod report;
pub mod sale;
pub mod subscription;
mod term;
pub mod time;
