//! How are problems described in the document? By status, each with the codes that it can have there.

use std::collections::BTreeMap;

use utoipa::{
    ToSchema,
    openapi::{
        ContentBuilder, Ref, RefOr, ResponseBuilder, Responses, Schema, extensions::ExtensionsBuilder,
        schema::AnyOfBuilder,
    },
};

use crate::http::code::Code;

use super::members;

/// By which name an answer says its codes.
const CODES: &str = "x-codes";
const CONTENT_TYPE: &str = "application/problem+json";

/// The name of what every problem is.
pub const PROBLEM: &str = "Problem";

/// Why a request failed, as in RFC 9457. A code that says more has a schema of its own, which is this one with its
/// members.
#[derive(ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "urn:counterfoil:problem:account_not_found",
    "title": "There is no such account",
    "status": 404,
    "code": "account_not_found",
    "detail": "There is no such account.",
    "advice": "Open it with PUT /v1/accounts/{account}.",
    "request_id": "0b6f4d1c6d0b4c6a8e0d6a3f1f0c2b7a",
}))]
#[expect(dead_code, reason = "only its description is used")]
pub struct ProblemSchema {
    r#type: String,
    title: String,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// Stable: decide on this.
    code: String,
    /// For people.
    detail: String,
    /// What the caller can do.
    advice: String,
    /// By which the operator finds the request again. Absent in items of a batch, which have the batch's.
    request_id: Option<String>,
}

/// Adds an answer for every status that these codes have.
pub fn add(responses: &mut Responses, codes: &[Code]) {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.about().status.as_u16()).or_default().push(*code);
    }
    for (status, mut codes) in by_status {
        codes.sort();
        codes.dedup();
        // What a route says itself about a status is not overwritten.
        responses.responses.entry(status.to_string()).or_insert_with(|| RefOr::T(response(&codes)));
    }
}

fn response(codes: &[Code]) -> utoipa::openapi::Response {
    let lines = codes.iter().map(|code| format!("- `{}`: {}", code.about().code, code.about().title));
    let names: Vec<&str> = codes.iter().map(|code| code.about().code).collect();
    ResponseBuilder::new()
        .description(lines.collect::<Vec<_>>().join("\n"))
        .content(CONTENT_TYPE, ContentBuilder::new().schema(Some(schema(codes))).build())
        // What the description says to people, said to programs.
        .extensions(Some(ExtensionsBuilder::new().add(CODES, names).build()))
        .build()
}

/// What says most comes first: a client that tries one after the other finds the members.
fn schema(codes: &[Code]) -> RefOr<Schema> {
    let mut names: Vec<String> = codes.iter().map(|code| members::name_of(*code)).collect();
    names.sort_by_key(|name| name == PROBLEM);
    names.dedup();
    let mut references: Vec<Ref> = names.into_iter().map(Ref::from_schema_name).collect();
    match references.pop() {
        Some(only) if references.is_empty() => RefOr::Ref(only),
        last => {
            let any = references.into_iter().chain(last).fold(AnyOfBuilder::new(), AnyOfBuilder::item);
            RefOr::T(Schema::AnyOf(any.build()))
        }
    }
}
