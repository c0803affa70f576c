//! How are problems described in the document? By status, each with the codes that are possible.

use std::{collections::BTreeMap, marker::PhantomData};

use utoipa::{
    IntoResponses, ToSchema,
    openapi::{
        AllOfBuilder, ContentBuilder, Object, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder,
        Responses, Schema,
        extensions::ExtensionsBuilder,
        schema::{AnyOfBuilder, Type},
    },
};

use crate::http::problems::{MembersSchema, PROBLEM, ProblemCode, ProblemSet, ProblemSpec, specs};

/// The extension with the codes of an answer.
const CODES: &str = "x-codes";
const CONTENT_TYPE: &str = "application/problem+json";

/// Why a request failed, as in RFC 9457.
/// A code with members of its own has a schema of its own, which extends this one.
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
    /// Stable: programs should branch on this.
    code: String,
    /// For people.
    detail: String,
    /// What the caller can do.
    advice: String,
    /// An id by which the operator can find the request. Absent in items of a batch, which share the id of the batch.
    request_id: Option<String>,
}

/// The problems of a route, as its attribute names them: `Problems<(HoldNotFound, HoldAlreadyResolved)>`.
pub struct Problems<P>(PhantomData<P>);

impl<P: ProblemSet> IntoResponses for Problems<P> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut codes = Vec::new();
        P::add_to(&mut codes);
        answers(&codes).collect()
    }
}

/// Removes the problems from a route's answers, and returns them.
pub fn take(responses: &mut Responses) -> Vec<&'static ProblemCode> {
    let mut found = Vec::new();
    responses.responses.retain(|_, response| {
        let names = if let RefOr::T(response) = response { names_of(response) } else { Vec::new() };
        found.extend(ProblemCode::all().filter(|code| names.contains(&code.name)));
        names.is_empty()
    });
    found
}

fn names_of(response: &Response) -> Vec<&str> {
    let names = response.extensions.as_ref().and_then(|extensions| extensions.get(CODES)?.as_array());
    names.into_iter().flatten().filter_map(serde_json::Value::as_str).collect()
}

/// Adds an answer for every status of these codes. What a route itself says about a status is not overwritten.
pub fn add(responses: &mut Responses, codes: &[&'static ProblemCode]) {
    for (status, response) in answers(codes) {
        responses.responses.entry(status).or_insert(response);
    }
}

fn answers(codes: &[&'static ProblemCode]) -> impl Iterator<Item = (String, RefOr<Response>)> {
    let mut by_status: BTreeMap<u16, Vec<&'static ProblemCode>> = BTreeMap::new();
    for code in ProblemCode::all().filter(|code| codes.contains(code)) {
        by_status.entry(code.status.as_u16()).or_default().push(code);
    }
    by_status.into_iter().map(|(status, codes)| (status.to_string(), RefOr::T(response(&codes))))
}

fn response(codes: &[&'static ProblemCode]) -> Response {
    let lines = codes.iter().map(|code| format!("- `{}`: {}", code.name, code.title));
    let names: Vec<&str> = codes.iter().map(|code| code.name).collect();
    ResponseBuilder::new()
        .description(lines.collect::<Vec<_>>().join("\n"))
        .content(CONTENT_TYPE, ContentBuilder::new().schema(Some(schema(codes))).build())
        // The codes in machine-readable form.
        .extensions(Some(ExtensionsBuilder::new().add(CODES, names).build()))
        .build()
}

/// The most specific schemas come first, so that a client that tries them in order finds the members.
fn schema(codes: &[&'static ProblemCode]) -> RefOr<Schema> {
    let mut names: Vec<&str> = codes.iter().map(|code| code.schema).collect();
    names.sort_by_key(|name| *name == PROBLEM);
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

/// The schema of each code with members, and the schemas that those refer to.
pub fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = Vec::new();
    for ProblemSpec { code, members } in specs() {
        if let Some(MembersSchema { object, others }) = members() {
            schemas.extend(others);
            schemas.push((code.schema.to_owned(), with_members(code, object).into()));
        }
    }
    schemas
}

fn with_members(code: &ProblemCode, mut members: Object) -> Schema {
    let only = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([code.name])).build();
    members.required.insert(0, "code".to_owned());
    members.properties.insert("code".to_owned(), only.into());
    let all = AllOfBuilder::new().item(Ref::from_schema_name(PROBLEM)).item(members);
    all.description(Some(format!("{}.", code.title))).build().into()
}
