//! What can be asked for, written for machines? An OpenAPI 3.1 document, made from the routes themselves.
//!
//! The routes say what they take and give. What is the same for many of them, above all the problems that each can
//! answer with, is added here from one table.

mod bodies;
mod codes;
mod members;
mod operations;
mod problems;

use utoipa::{
    OpenApi as _,
    openapi::{
        ObjectBuilder, OpenApi, RefOr, Response,
        header::HeaderBuilder,
        path::{Operation, PathItem},
        schema::Type,
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    auth::keys::KeyScope,
    http::reads::{analytics::IntervalQuery, statement::StatementOrder},
    stripe::client::BillStatus,
};

pub use operations::{KeyRule, OPERATIONS, OperationSpec, find};

/// The name of how a caller says who it is.
const API_KEY: &str = "api_key";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Counterfoil",
        description = "An exact, provable credit ledger. Credits are whole numbers, money is in whole minor units, \
                       times are RFC 3339 in UTC. Errors are problems as in RFC 9457, with a stable `code`. Every \
                       answer has an `X-Request-Id`: the caller's own, when it is well formed, or one made here."
    ),
    security(("api_key" = [])),
    components(schemas(problems::ProblemSchema, BillStatus, IntervalQuery, StatementOrder)),
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
    components.schemas.extend(members::schemas());
    document
}

/// Adds to each operation what the table says about it.
pub fn finish(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        for operation in of(item) {
            bodies::say_optional(operation);
            let described = operation.operation_id.as_deref().and_then(find);
            if let Some(described) = described {
                describe(operation, described);
            }
        }
    }
}

fn of(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let methods = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
    methods.into_iter().filter_map(Option::as_mut)
}

fn describe(operation: &mut Operation, described: &OperationSpec) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            describe_headers(response, described);
        }
    }
    problems::add(&mut operation.responses, &described.codes());
    if let Some(parameter) = described.key.parameter() {
        operation.parameters.get_or_insert_default().push(parameter);
    }
    if !described.scopes.is_empty() {
        // Any one of them, for programs; OpenAPI 3.1 lets a key name what it needs.
        let mut enough: Vec<KeyScope> = described.scopes.to_vec();
        enough.push(KeyScope::Admin);
        enough.dedup();
        let needed = enough.iter().map(|scope| SecurityRequirement::new(API_KEY, [scope.as_str()]));
        operation.security = Some(needed.collect());
        let scopes: Vec<String> = described.scopes.iter().map(|scope| format!("`{scope}`")).collect();
        let sentence = format!("Needs a key with {} (or `admin`).", scopes.join(" or "));
        let text = operation.description.get_or_insert_default();
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(&sentence);
    }
}

fn describe_headers(response: &mut Response, described: &OperationSpec) {
    let mut add = |name: &str, kind: Type, description: &str| {
        let schema = ObjectBuilder::new().schema_type(kind).build();
        let header = HeaderBuilder::new().schema(schema).description(Some(description)).build();
        response.headers.insert(name.to_owned(), header);
    };
    add("X-Request-Id", Type::String, "By which the request is found again in logs and events.");
    if described.key != KeyRule::None {
        add("Idempotent-Replayed", Type::String, "`true`: this is the answer to an earlier, equal request.");
    }
    if described.reads_position {
        add("Counterfoil-Position", Type::String, "The answer includes everything up to here.");
        add("Counterfoil-Lag-Ms", Type::Integer, "How far the answer is behind the present; 0: not at all.");
    }
    if !described.scopes.is_empty() {
        add("RateLimit-Policy", Type::String, "What the key's limit is. Absent where there is none.");
        add("RateLimit", Type::String, "What is left of it.");
    }
}
