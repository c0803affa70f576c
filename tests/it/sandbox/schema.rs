//! What does Stripe say that its answers look like? The schema that is derived from its own SDK.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
    sync::{Arc, Mutex, OnceLock},
};

use jsonschema::Validator;
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("schema/stripe-2026-09-30.endive.schema.json");
pub const PARAMETERS: &str = include_str!("../../../crates/sandbox/src/parameters.json");

fn schema() -> &'static Value {
    static SCHEMA_READ: OnceLock<Value> = OnceLock::new();
    SCHEMA_READ.get_or_init(|| serde_json::from_str(SCHEMA).expect("the schema is JSON"))
}

/// The operation that a request is for, as the schema has it.
fn operation(method: &str, path: &str) -> &'static Value {
    let parts: Vec<&str> = path.split('?').next().unwrap().split('/').collect();
    let operations = schema()["operations"].as_array().unwrap().iter();
    let fits = |operation: &&Value| {
        let names: Vec<&str> = operation["path"].as_str().unwrap().split('/').collect();
        let same = |(name, part): (&&str, &&str)| name.starts_with('{') || name == part;
        operation["method"] == method && names.len() == parts.len() && names.iter().zip(&parts).all(same)
    };
    let mut found: Vec<&Value> = operations.filter(fits).collect();
    // `/v1/invoices/search` fits `/v1/invoices/{invoice}` too; the more exact one counts.
    found.sort_by_key(|operation| operation["path"].as_str().unwrap().matches('{').count());
    found.first().unwrap_or_else(|| panic!("Stripe has no {method} {path}"))
}

fn definition(returns: &str, path: &str) -> String {
    match returns {
        "Session" if path.starts_with("/v1/checkout") => "checkout.session".to_owned(),
        "Session" => "billing_portal.session".to_owned(),
        "Configuration" => "billing_portal.configuration".to_owned(),
        "InvoiceLineItem" => "line_item".to_owned(),
        "LineItem" => "item".to_owned(),
        name => name.char_indices().fold(String::new(), |mut snake, (place, letter)| {
            if letter.is_uppercase() && place > 0 {
                snake.push('_');
            }
            snake.extend(letter.to_lowercase());
            snake
        }),
    }
}

/// The checks are made once: the schema is large.
fn validator(definition: &str) -> Arc<Validator> {
    static VALIDATORS: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());
    let mut validators = VALIDATORS.lock().unwrap();
    let made = validators.entry(definition.to_owned()).or_insert_with(|| {
        let root = json!({
            "$schema": schema()["$schema"],
            "$ref": format!("#/$defs/{definition}"),
            "$defs": schema()["$defs"],
        });
        Arc::new(jsonschema::validator_for(&root).expect("the schema is one"))
    });
    Arc::clone(made)
}

/// Fails when an answer is not what the operation returns; names the operation.
pub fn check(method: &str, path: &str, body: &Value) -> String {
    let operation = operation(method, path);
    let name = format!("{method} {}", operation["path"].as_str().unwrap());
    let returns = operation["returns"].as_str().unwrap();
    if body["deleted"] == true {
        assert!(body["id"].is_string() && body["object"].is_string(), "{body}");
        return name;
    }
    let list = returns.strip_prefix("ListObject[").and_then(|rest| rest.strip_suffix(']'));
    let elements = match list {
        Some(_) => {
            assert_eq!(body["object"], "list", "{path}");
            assert!(body["has_more"].is_boolean() && body["url"].is_string(), "{path}");
            body["data"].as_array().unwrap().clone()
        }
        None => vec![body.clone()],
    };
    let validator = validator(&definition(list.unwrap_or(returns), path));
    for element in elements {
        let errors: Vec<String> = validator
            .iter_errors(&element)
            .map(|error| format!("{}: {error}", error.instance_path))
            .collect();
        assert!(errors.is_empty(), "{method} {path}: {errors:#?}\n{element:#}");
    }
    name
}

#[test]
fn every_operation_that_takes_parameters_is_stripes() {
    let known: BTreeSet<String> = schema()["operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|operation| {
            format!("{} {}", operation["method"].as_str().unwrap(), operation["path"].as_str().unwrap())
        })
        .collect();
    let ours: BTreeMap<String, Value> = serde_json::from_str(PARAMETERS).unwrap();
    assert!(ours.len() > 60, "{}", ours.len());
    for operation in ours.keys() {
        assert!(known.contains(operation), "{operation}");
    }
}

/// `tests/conformance/parameters.py` makes the file; the same schema makes the same file.
#[test]
fn the_parameters_are_the_ones_of_the_schema() {
    let path = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let derived = Command::new("python3")
        .arg(path("tests/conformance/parameters.py"))
        .arg(path("tests/it/sandbox/schema/stripe-2026-09-30.endive.schema.json"))
        .arg(path("crates/sandbox/src/parameters.json"))
        .output()
        .expect("python3 is needed to derive the parameters");
    assert!(derived.status.success(), "{}", String::from_utf8_lossy(&derived.stderr));
    assert!(
        String::from_utf8_lossy(&derived.stdout) == PARAMETERS,
        "derive crates/sandbox/src/parameters.json anew"
    );
}

#[test]
fn an_answer_of_another_shape_is_found() {
    let whole = json!({ "id": "cus_1", "object": "customer", "created": 1, "livemode": false });
    assert_eq!(check("GET", "/v1/customers/cus_1", &whole), "GET /v1/customers/{customer}");
    for (name, wrong) in [("created", json!("now")), ("object", json!("person")), ("livemode", Value::Null)] {
        let mut answer = whole.clone();
        answer[name] = wrong;
        let found = std::panic::catch_unwind(|| check("GET", "/v1/customers/cus_1", &answer));
        assert!(found.is_err(), "{name}");
    }
}
