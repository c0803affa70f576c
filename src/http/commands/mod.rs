//! How does a request become a command, and an outcome an answer? One file a command: what its body says, who may send
//! it, the command that it becomes, its answer and its route.
//!
//! A route and an item of a batch both become a [`call::Callable`], which is executed in one way.

pub mod account;
pub mod adjust;
pub mod batch;
mod batch_schema;
pub mod call;
pub mod close;
pub mod commit;
pub mod deduct;
pub mod extend;
pub mod forgive;
pub mod generate;
pub mod grant;
pub mod hold;
pub mod import;
pub mod import_request;
pub mod item;
pub mod quote;
pub mod refund;
pub mod release;
pub mod reply;
