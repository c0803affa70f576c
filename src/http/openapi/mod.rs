//! How is the API described? An OpenAPI 3.1 document, made from the routes themselves.
//!
//! A route says what it gives, and which problems are its own, in the attribute of its handler; the handler's arguments
//! say what it takes. What follows from these, above all the problems of everything that takes the same, is added here.

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
        (name = "Accounts", description = "What accounts are and hold. Never behind what a command acknowledged."),
        (name = "Spending", description = "Credits in exchange for work."),
        (name = "Holds", description = "Credits that are set aside until the work is done."),
        (name = "Operating", description = "What operators give, take and forgive by hand."),
        (name = "Reports", description = "Read models: what happened, added up."),
        (name = "Customers", description = "Who pays, and with what: asked of Stripe and passed on to Stripe, kept nowhere here."),
        (name = "Payments", description = "Money without a page of Stripe's: each step once, whatever happens on the way."),
        (name = "Stripe", description = "What the payment provider reports."),
        (name = "Audit", description = "Is what we tell true, and was it always so?"),
        (name = "Catalog", description = "What is for sale."),
        (name = "API keys", description = "Who may call."),
        (name = "Server", description = "How the server itself is doing."),
    ),
)]
struct Base;

/// What all documents of this version begin with.
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
