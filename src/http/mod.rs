//! How do other programs talk to the ledger? JSON over HTTP: routes, who may use them, and every answer.
//!
//! A handler parses a request into a command or a query, passes it on, and writes the answer.
//! It has no rules, which are in `domain`, and no SQL, which is in `projections`.

mod address_limit;
mod billing;
mod commands;
mod connections;
mod csv;
mod edge;
mod failure;
mod figures;
mod forwarded;
mod health;
mod limits;
mod openapi;
mod operations;
mod outages;
pub mod passed_on;
mod position;
mod problem;
mod problems;
mod proxies;
mod readiness;
mod reads;
mod refused_keys;
mod request;
mod request_metrics;
mod response;
mod routes;
mod sampled;
mod schema;
mod serve;
mod sharing;
mod since;
mod state;

pub use commands::import_request::{GrantIdTaken, MovedAccount, name_grants, read_account};
pub use connections::Connections;
pub use openapi::{KeyRule, OperationSpec};
pub use position::{InvalidToken, Token};
pub use problems::{Explain, Explanation, ProblemCode};
pub use proxies::{InvalidProxies, Proxies};
pub use request::{InvalidText, Text};
pub use routes::{document, metrics_router, operations, router};
pub use serve::{listen, serve};
pub use state::{AppParts, AppState, HttpSettings, SharedState};
