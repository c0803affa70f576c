//! Which operations are there?
//! Each is described by its attribute, by the arguments of its handler, and by the problems that follow from these.

use axum::Router;
use utoipa::openapi::{
    ObjectBuilder, OpenApi, RefOr, Response,
    header::HeaderBuilder,
    path::{Operation, PathItem},
    schema::Type,
    security::SecurityRequirement,
};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::{
    auth::keys::KeyScope,
    http::{
        AppState,
        problems::{
            AccountClosed, AccountDamaged, AccountNotAllowed, AccountNotFound, AmountTooLarge, ApiKeyExpired,
            ApiKeyInvalid, BodyTimeout, BodyTooLarge, IdempotencyKeyMissing, IdempotencyKeyReused, Internal,
            InvalidJson, InvalidParameter, InvalidRequest, OutcomeUnknown, Overloaded, PositionUnknown,
            Problem, ProblemCode, ProblemSet, RateLimited, ScopeMissing, Unauthenticated, Unavailable,
            UnsupportedMediaType,
        },
    },
};

use super::{
    bodies,
    inputs::{Inputs, KeyRule},
    problems,
};

/// The name of the security scheme.
pub const API_KEY: &str = "api_key";

/// The problems of every operation that needs a key.
type Authenticated = (
    Unauthenticated,
    ApiKeyInvalid,
    ApiKeyExpired,
    ScopeMissing,
    AccountNotAllowed,
    RateLimited,
    InvalidParameter,
    Overloaded,
    Unavailable,
    Internal,
);
/// The problems of every operation with a JSON body.
type Json = (InvalidJson, InvalidRequest, BodyTooLarge, BodyTimeout, UnsupportedMediaType);
/// The problems of every operation with an idempotency key.
type Repeatable = (
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    AccountNotFound,
    AccountClosed,
    AmountTooLarge,
    Unavailable,
    OutcomeUnknown,
    AccountDamaged,
);

/// One operation.
#[derive(Clone, Debug)]
pub struct OperationSpec {
    pub id: String,
    /// Empty: no key is needed.
    pub scopes: &'static [KeyScope],
    pub key: KeyRule,
    /// Whether it reads a JSON body.
    pub takes_json: bool,
    /// All problem codes that it can answer with.
    pub codes: Vec<&'static ProblemCode>,
}

/// Routes with their descriptions.
#[derive(Default)]
pub struct Operations {
    router: OpenApiRouter<AppState>,
    specs: Vec<OperationSpec>,
}

impl Operations {
    /// Adds a route whose handler takes `inputs`.
    #[must_use]
    pub fn with(mut self, inputs: Inputs, route: UtoipaMethodRouter<AppState>) -> Self {
        let (schemas, mut paths, methods) = route;
        for operation in paths.paths.values_mut().flat_map(of) {
            self.specs.push(describe(operation, inputs));
        }
        Self { router: self.router.routes((schemas, paths, methods)), specs: self.specs }
    }

    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.specs.extend(other.specs);
        Self { router: self.router.merge(other.router), specs: self.specs }
    }

    pub fn into_router(self) -> Router<AppState> {
        self.router.split_for_parts().0
    }

    #[must_use]
    pub fn into_specs(self) -> Vec<OperationSpec> {
        self.specs
    }

    /// The document, on top of `base`.
    #[must_use]
    pub fn into_document(self, base: OpenApi) -> OpenApi {
        OpenApiRouter::with_openapi(base).merge(self.router).split_for_parts().1
    }
}

fn of(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let methods = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
    methods.into_iter().filter_map(Option::as_mut)
}

/// Adds what follows from the inputs to the description of an operation.
fn describe(operation: &mut Operation, inputs: Inputs) -> OperationSpec {
    let mut codes = problems::take(&mut operation.responses);
    if !inputs.scopes.is_empty() {
        Authenticated::add_to(&mut codes);
    }
    if inputs.json {
        Json::add_to(&mut codes);
    }
    if inputs.key != KeyRule::None {
        Repeatable::add_to(&mut codes);
    }
    let reads_position = codes.contains(&PositionUnknown::CODE);
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            describe_headers(response, inputs, reads_position);
        }
    }
    bodies::say_optional(operation);
    problems::add(&mut operation.responses, &codes);
    if let Some(parameter) = inputs.key.parameter() {
        operation.parameters.get_or_insert_default().push(parameter);
    }
    if !inputs.scopes.is_empty() {
        describe_scopes(operation, inputs.scopes);
    }
    OperationSpec {
        id: operation.operation_id.clone().unwrap_or_default(),
        scopes: inputs.scopes,
        key: inputs.key,
        takes_json: inputs.json,
        codes,
    }
}

/// Says which scopes are enough; any one of them is. OpenAPI 3.1 allows scopes for API keys.
fn describe_scopes(operation: &mut Operation, scopes: &[KeyScope]) {
    let mut enough: Vec<KeyScope> = scopes.to_vec();
    enough.push(KeyScope::Admin);
    enough.dedup();
    let needed = enough.iter().map(|scope| SecurityRequirement::new(API_KEY, [scope.as_str()]));
    operation.security = Some(needed.collect());
    let scopes: Vec<String> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
    let sentence = format!("Needs a key with {} (or `admin`).", scopes.join(" or "));
    let text = operation.description.get_or_insert_default();
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(&sentence);
}

fn describe_headers(response: &mut Response, inputs: Inputs, reads_position: bool) {
    let mut add = |name: &str, kind: Type, description: &str| {
        let schema = ObjectBuilder::new().schema_type(kind).build();
        let header = HeaderBuilder::new().schema(schema).description(Some(description)).build();
        response.headers.insert(name.to_owned(), header);
    };
    add("X-Request-Id", Type::String, "An id by which the request can be found in logs and events.");
    if inputs.key != KeyRule::None {
        add("Idempotent-Replayed", Type::String, "`true`: this is the answer to an earlier, equal request.");
    }
    if reads_position {
        add("Counterfoil-Position", Type::String, "The answer includes everything up to this position.");
        add("Counterfoil-Lag-Ms", Type::Integer, "How many milliseconds the answer lags; 0: it does not.");
    }
    if !inputs.scopes.is_empty() {
        add("RateLimit-Policy", Type::String, "The key's rate limit. Absent if it has none.");
        add("RateLimit", Type::String, "What is left of the key's rate limit.");
    }
}
