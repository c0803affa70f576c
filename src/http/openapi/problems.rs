//! How are problems described in the document? By status, each with the codes that it can have there.

use std::collections::BTreeMap;

use utoipa::{
    ToSchema,
    openapi::{
        AllOfBuilder, ContentBuilder, ObjectBuilder, Ref, RefOr, ResponseBuilder, Responses, schema::Type,
    },
};

use crate::http::{
    code::Code,
    schema::{Id, Place},
};

const CONTENT_TYPE: &str = "application/problem+json";

/// Why a request failed, as in RFC 9457. Members beyond `advice` belong to certain codes.
#[derive(ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "urn:counterfoil:problem:insufficient_credits",
    "title": "Not enough credits",
    "status": 402,
    "code": "insufficient_credits",
    "detail": "1000 credits were asked for, and 45 are available.",
    "advice": "Ask for no more than `available`, or let the customer buy credits or upgrade.",
    "request_id": "0b6f4d1c6d0b4c6a8e0d6a3f1f0c2b7a",
    "requested": 1000, "available": 45, "held": 0, "debt": 0, "upgrade": "creator",
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
    /// Where in the request something is wrong: a JSON path such as `$.amount`, or a name.
    path: Option<String>,
    /// `body`, `path`, `query` or `header`.
    r#in: Option<String>,
    requested: Option<i64>,
    available: Option<i64>,
    /// The first plan above the account's that gives as much in a month, or else the one above it that gives most. `null`:
    /// there is none above it that gives more.
    #[schema(value_type = Option<Id>)]
    upgrade: Option<String>,
    /// The plans that would allow it.
    #[schema(value_type = Option<Vec<Id>>)]
    plans: Option<Vec<String>>,
    /// Why a bank said no, in Stripe's words. Not for people: of a stolen card they are told no more than of any other.
    decline_code: Option<String>,
    /// What the person can do about a declined payment: `another_method`, `correct_details`, `call_bank`,
    /// `authenticate`, `try_again` or `try_later`. `advice` says it in a sentence.
    next_step: Option<String>,
    /// With which the browser lets the person authenticate.
    client_secret: Option<String>,
    /// How a hold ended.
    outcome: Option<String>,
    #[schema(value_type = Option<Place>)]
    as_of_position: Option<String>,
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
    let names = codes.iter().map(|code| code.about().code);
    let code = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
    let schema = AllOfBuilder::new()
        .item(Ref::from_schema_name("Problem"))
        .item(ObjectBuilder::new().property("code", code));
    ResponseBuilder::new()
        .description(lines.collect::<Vec<_>>().join("\n"))
        .content(CONTENT_TYPE, ContentBuilder::new().schema(Some(schema)).build())
        .build()
}
