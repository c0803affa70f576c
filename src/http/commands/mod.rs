//! How does a request become a command, and an outcome an answer?
//!
//! A route and an item of a batch both become an [`order::CommandCall`], which is performed in one way.

pub mod accounts;
pub mod answer;
pub mod batch;
pub mod documents;
pub mod grants;
pub mod holds;
pub mod import_request;
pub mod imports;
pub mod inputs;
pub mod item;
pub mod order;
pub mod quote;
pub mod refunds;
pub mod spending;
