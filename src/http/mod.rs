//! How do other programs talk to the ledger? JSON over HTTP: routes, who may use them, and every answer.
//!
//! A handler reads a request into a command or a query, passes it on, and writes down what came back. The rules
//! are in `domain`, the tables in `projections`: none of either is here.

mod billing;
pub mod code;
mod commands;
mod connections;
mod edge;
mod failure;
mod health;
mod hops;
pub mod keys;
mod members;
mod meters;
mod openapi;
mod operations;
mod outages;
mod position;
mod problem;
mod proxies;
mod rates;
mod reads;
mod refused;
mod request;
mod routes;
mod schema;
mod serve;
mod sharing;
mod state;
mod visits;

pub use commands::moved::{GrantIdTaken, MovedAccount, name_grants, read_account};
pub use connections::Connections;
pub use members::detail_of_refusal;
pub use openapi::{Described, OPERATIONS, RepeatKey};
pub use position::{InvalidToken, Token};
pub use proxies::{InvalidProxies, Proxies};
pub use request::{InvalidText, Text};
pub use routes::{document, metrics_router, router};
pub use serve::{listen, serve};
pub use state::{App, AppParts, AppState, Settings};
