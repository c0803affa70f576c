//! What does the business want to know? Each figure says what it means, how old it is, and which rows make it up.

pub mod credits;
mod definition;
pub mod restatements;
mod zone;
