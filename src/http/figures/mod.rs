//! What does the business want to know? Each figure says what it means, how old it is, and which rows make it up.

pub mod credits;
pub mod deferred;
mod definition;
pub mod lots;
pub mod restatements;
pub mod runway;
mod zone;
