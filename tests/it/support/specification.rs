//! Does an answer match the document? Asked of every answer that a test of this folder gets.

use std::{
    collections::BTreeMap,
    sync::{Mutex, OnceLock},
};

use counterfoil::http::ProblemCode;
use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::http::Answer;

static DOCUMENT: OnceLock<Value> = OnceLock::new();
static VALIDATORS: Mutex<BTreeMap<(String, String), &'static Validator>> = Mutex::new(BTreeMap::new());

/// The document, as the program generates it.
pub fn document() -> &'static Value {
    DOCUMENT.get_or_init(|| serde_json::to_value(counterfoil::http::document()).expect("JSON"))
}

/// Every operation of the document.
pub fn operations() -> Vec<&'static Value> {
    let paths = document()["paths"].as_object().expect("paths");
    paths.values().flat_map(|item| item.as_object().expect("an item").values()).collect()
}

/// The operation that a request is for.
pub fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap_or_default();
    let paths = document()["paths"].as_object().expect("paths");
    let matching = paths.iter().filter(|(template, _)| matches(template, path));
    // A name in the template is worth less than a parameter: `/v1/audit/verify` before `/v1/audit/{…}`.
    let (_, item) = matching.min_by_key(|(template, _)| template.matches('{').count())?;
    item.get(method.as_str().to_ascii_lowercase())
}

fn matches(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(&path).all(|(one, other)| one.starts_with('{') || one == other)
}

/// Fails when the answer is none that the document has.
pub fn check(method: &Method, path: &str, answer: &Answer) {
    assert!(answer.header("x-request-id").is_some(), "{method} {path} has no request id");
    let Some(operation) = operation(method, path) else {
        check_against(&problem(answer), answer.code(), answer, path);
        return;
    };
    let id = operation["operationId"].as_str().expect("an id");
    let described = &operation["responses"][answer.status.as_str()];
    assert!(described.is_object(), "{id} does not list {}: {}", answer.status, answer.text);
    let kind = answer.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    let content = &described["content"][kind];
    assert!(content.is_object(), "{id} does not list {} as {kind}", answer.status);
    if kind.ends_with("json") && !kind.contains("ndjson") {
        check_against(&content["schema"], &format!("{id} {}", answer.status), answer, path);
    }
    if kind == "application/problem+json" {
        let codes = described["x-codes"].as_array().expect("codes");
        assert!(codes.contains(&json!(answer.code())), "{id} does not list {}", answer.text);
        check_against(&problem(answer), answer.code(), answer, path);
    }
    check_headers(operation, described, answer);
}

/// Fails when a body that was accepted is none that the document has.
pub fn check_accepted(method: &Method, path: &str, body: &Value) {
    let operation = operation(method, path).expect("what was accepted is routed");
    let id = operation["operationId"].as_str().expect("an id");
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{id} lists no body");
    let errors: Vec<String> = validator(schema, &format!("{id} body"))
        .iter_errors(body)
        .map(|error| format!("{} at {}", error, error.instance_path))
        .collect();
    assert!(errors.is_empty(), "the body of {id}: {}\n{body}", errors.join("\n"));
}

fn check_headers(operation: &Value, described: &Value, answer: &Answer) {
    let listed = described["headers"].as_object().cloned().unwrap_or_default();
    for name in ["counterfoil-position", "counterfoil-lag-ms", "idempotent-replayed"] {
        let is_listed = listed.keys().any(|known| known.eq_ignore_ascii_case(name));
        assert!(
            answer.header(name).is_none() || is_listed,
            "{} does not list {name}",
            operation["operationId"]
        );
    }
}

/// What the document says about problems with this code: exactly its members, and no others.
fn problem(answer: &Answer) -> Value {
    let code = ProblemCode::all().find(|code| code.name == answer.code());
    let own = schema_of(code.unwrap_or_else(|| panic!("not a problem: {}", answer.text)).name);
    let is_described = document()["components"]["schemas"][&own].is_object();
    let name = if is_described { own.as_str() } else { "Problem" };
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The schema of a problem that has members: `hold_too_long` is `HoldTooLongProblem`.
pub fn schema_of(code: &str) -> String {
    let words = code.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
    words.collect::<String>() + "Problem"
}

fn check_against(schema: &Value, name: &str, answer: &Answer, path: &str) {
    let errors: Vec<String> = validator(schema, name)
        .iter_errors(&answer.body)
        .map(|error| format!("{} at {}", error, error.instance_path))
        .collect();
    assert!(errors.is_empty(), "{path} ({name}): {}\n{}", errors.join("\n"), answer.text);
}

fn validator(schema: &Value, name: &str) -> &'static Validator {
    let mut known = VALIDATORS.lock().expect("no panic");
    let key = (name.to_owned(), schema.to_string());
    known.entry(key).or_insert_with(|| {
        let mut root = Map::new();
        root.insert("components".to_owned(), document()["components"].clone());
        root.insert("allOf".to_owned(), json!([schema]));
        // What the document does not name must not be there. Which problem it is, its code says.
        let closed = !schema["anyOf"].is_array() && !name.ends_with("body");
        if closed {
            root.insert("unevaluatedProperties".to_owned(), json!(false));
        }
        let validator = jsonschema::options().should_validate_formats(true).build(&Value::Object(root));
        Box::leak(Box::new(validator.expect("the document has valid schemas")))
    })
}

#[test]
#[should_panic(expected = "Unevaluated properties are not allowed")]
fn an_answer_with_a_field_that_the_document_does_not_name_is_noticed() {
    let (mut headers, status) = (reqwest::header::HeaderMap::new(), reqwest::StatusCode::OK);
    headers.insert("x-request-id", "r".parse().expect("a value"));
    headers.insert("content-type", "application/json".parse().expect("a value"));
    let body = json!({ "status": "ok", "colour": "red" });
    check(&Method::GET, "/healthz", &Answer { status, headers, text: body.to_string(), body });
}

#[test]
fn the_examples_are_of_their_schemas() {
    let schemas = document()["components"]["schemas"].as_object().expect("schemas");
    for (name, schema) in schemas {
        let example = schema.get("example").into_iter();
        for example in example.chain(schema["examples"].as_array().into_iter().flatten()) {
            let validator = validator(schema, &format!("{name} body"));
            assert!(validator.is_valid(example), "{name}: {example}");
        }
    }
}
