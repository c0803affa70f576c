//! What does the business want to know? Each figure says what it means, how old it is, and which rows make it up.

pub mod churn;
mod churn_definitions;
pub mod churn_rows;
pub mod cohorts;
pub mod credits;
mod csv_file;
pub mod deferred;
mod definition;
pub mod lots;
pub mod movements;
pub mod paying;
pub mod restatements;
pub mod retention;
pub mod revenue;
mod revenue_definitions;
pub mod runway;
pub mod summary;
mod zone;
