//! How is the API described? By an OpenAPI 3.1 document that is generated from the routes.
//!
//! The attribute of a handler says what it answers, and which problems only it has; its arguments say what it takes.
//! What follows from these is added here, particularly the problems that all operations with the same inputs have.

mod bodies;
mod inputs;
mod operations;
mod problems;

use utoipa::{
    OpenApi as _,
    openapi::{
        OpenApi,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

pub use inputs::{Input, Inputs, KeyRule, inputs_of};
use operations::API_KEY;
pub use operations::{OperationSpec, Operations};
pub use problems::Problems;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Counterfoil",
        description = "An exact, provable credit ledger. Credits are whole numbers, money is in whole minor units, \
                       times are RFC 3339 in UTC. Errors are problems as in RFC 9457, with a stable `code`. Every \
                       answer has an `X-Request-Id`: the caller's own, when it is well formed, or one made here."
    ),
    security(("api_key" = [])),
    components(schemas(problems::ProblemSchema)),
    tags(
        (name = "Accounts", description = "What accounts are and hold. Includes all that a command has acknowledged."),
        (name = "Spending", description = "Deductions, generations and their refunds."),
        (name = "Holds", description = "Credits that are reserved until work is done."),
        (name = "Operating", description = "Grants, adjustments and debt, by operators."),
        (name = "Reports", description = "Read models: what happened, added up."),
        (name = "Customers", description = "Customers and payment methods, which are stored at Stripe and not here."),
        (name = "Payments", description = "Payments without a page of Stripe's. Each step happens once, even if a request is repeated."),
        (name = "Stripe", description = "Events that Stripe delivers."),
        (name = "Audit", description = "Replay of accounts, and verification of the journal and the read models."),
        (name = "Catalog", description = "What is for sale."),
        (name = "API keys", description = "Keys with scopes and rate limits."),
        (name = "Server", description = "Health, readiness and metrics."),
    ),
)]
struct Base;

/// The start of every document of this version.
#[must_use]
pub fn base() -> OpenApi {
    let mut document = Base::openapi();
    document.info.license = None;
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    let mut http = Http::new(HttpAuthScheme::Bearer);
    http.description = Some("An API key: `Authorization: Bearer cf_live_…`.".to_owned());
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(API_KEY, SecurityScheme::Http(http));
    components.schemas.extend(problems::schemas());
    document
}
