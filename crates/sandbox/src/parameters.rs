//! Which parameters does an operation take? What Stripe would refuse is refused before anything is done.
//!
//! `parameters.json` is derived from the annotations of stripe-python (MIT, © Stripe; see
//! `tests/it/sandbox/schema/NOTICE.md`), with one operation in each line.
//! A parameter is described by its kind: `string`, `integer`, `boolean`, `number`, `map` or `any`.
//! `=a|b` is one of these words, and `x|y` is the kind x or the word y.
//! An array describes a list, and an object describes nested parameters, of which `!` names the required ones.
//! With a `?`, an empty text removes the value.

use std::{collections::BTreeMap, sync::OnceLock};

use serde_json::{Map, Value};

use super::failure::SandboxFailure;

const PARAMETERS: &str = include_str!("parameters.json");
const REQUIRED: &str = "!";
const CLEARABLE: &str = "?";
/// Stripe's limits of metadata.
const METADATA_KEYS_MAX: usize = 50;
const METADATA_KEY_CHARACTERS_MAX: usize = 40;
const METADATA_VALUE_CHARACTERS_MAX: usize = 500;

fn operations() -> &'static BTreeMap<String, Value> {
    static OPERATIONS: OnceLock<BTreeMap<String, Value>> = OnceLock::new();
    OPERATIONS.get_or_init(|| serde_json::from_str(PARAMETERS).expect("the file is a part of the program"))
}

/// Checks the parameters of `operation`, such as `POST /v1/customers`, and gives each value its type.
pub fn conform(operation: &str, sent: &Map<String, Value>) -> Result<Map<String, Value>, SandboxFailure> {
    let nothing = Value::Object(Map::new());
    let allowed = operations().get(operation).unwrap_or(&nothing);
    match typed(allowed, &Value::Object(sent.clone()), "")? {
        Value::Object(typed) => Ok(typed),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Ok(Map::new())
        }
    }
}

fn typed(allowed: &Value, sent: &Value, path: &str) -> Result<Value, SandboxFailure> {
    match allowed {
        Value::Object(fields) => object(fields, sent, path),
        Value::Array(element) => list(element, sent, path),
        Value::String(kind) => scalar(kind, sent, path),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(sent.clone()),
    }
}

fn object(fields: &Map<String, Value>, sent: &Value, path: &str) -> Result<Value, SandboxFailure> {
    let Value::Object(sent) = sent else {
        let clears = sent.as_str() == Some("") && fields.contains_key(CLEARABLE);
        // A filter by time may be a number in place of a range.
        let exact =
            fields.contains_key("gte") && sent.as_str().is_some_and(|text| text.parse::<i64>().is_ok());
        return if clears || exact { Ok(sent.clone()) } else { Err(not_an_object(path)) };
    };
    let mut typed_fields = Map::new();
    for (name, value) in sent {
        let inner = join(path, name);
        let allowed = fields.get(name).filter(|_| name != REQUIRED && name != CLEARABLE);
        let allowed = allowed.ok_or_else(|| unknown(&inner))?;
        typed_fields.insert(name.clone(), typed(allowed, value, &inner)?);
    }
    let required = fields.get(REQUIRED).and_then(Value::as_array).into_iter().flatten();
    for name in required.filter_map(Value::as_str) {
        if !typed_fields.contains_key(name) {
            return Err(SandboxFailure::missing(&join(path, name)));
        }
    }
    Ok(Value::Object(typed_fields))
}

fn list(element: &[Value], sent: &Value, path: &str) -> Result<Value, SandboxFailure> {
    let Value::Object(sent) = sent else {
        let clears = sent.as_str() == Some("") && element.len() > 1;
        return if clears {
            Ok(sent.clone())
        } else {
            Err(SandboxFailure::invalid(format!("Invalid array: {path}")).param(path))
        };
    };
    let mut places = Vec::with_capacity(sent.len());
    for (name, value) in sent {
        let place = name.parse::<usize>().map_err(|_| unknown(&join(path, name)))?;
        places.push((place, value));
    }
    places.sort_by_key(|(place, _)| *place);
    let kind = element.first().unwrap_or(&Value::Null);
    let typed = places.into_iter().map(|(place, value)| typed(kind, value, &join(path, &place.to_string())));
    typed.collect::<Result<Vec<Value>, SandboxFailure>>().map(Value::Array)
}

fn scalar(kind: &str, sent: &Value, path: &str) -> Result<Value, SandboxFailure> {
    let (kind, clearable) = kind.strip_suffix('?').map_or((kind, false), |kind| (kind, true));
    if kind == "any" {
        return Ok(sent.clone());
    }
    if kind == "map" {
        return map(sent, clearable, path);
    }
    let Value::String(text) = sent else {
        return Err(SandboxFailure::invalid(format!("Invalid {kind}: {path} takes one value")).param(path));
    };
    if text.is_empty() {
        // Where a text is stored, an empty text is allowed. Elsewhere it can only remove a value.
        return if clearable || kind == "string" { Ok(sent.clone()) } else { Err(empty(path)) };
    }
    if let Some(words) = kind.strip_prefix('=') {
        let known = words.split('|').any(|word| word == text);
        return if known { Ok(sent.clone()) } else { Err(not_a_word(path, words)) };
    }
    let (kind, words) = kind.split_once('|').unwrap_or((kind, ""));
    if words.split('|').any(|word| word == text) {
        return Ok(sent.clone());
    }
    match kind {
        "integer" => text.parse::<i64>().map(Value::from).map_err(|_| {
            SandboxFailure::invalid(format!("Invalid integer: {text}"))
                .code("parameter_invalid_integer")
                .param(path)
        }),
        "boolean" => match text.as_str() {
            "true" | "1" => Ok(Value::Bool(true)),
            "false" | "0" => Ok(Value::Bool(false)),
            _ => Err(SandboxFailure::invalid(format!("Invalid boolean: {text}")).param(path)),
        },
        _ => Ok(sent.clone()),
    }
}

fn map(sent: &Value, clearable: bool, path: &str) -> Result<Value, SandboxFailure> {
    match sent {
        Value::Object(entries) => {
            check_metadata(entries, path)?;
            Ok(sent.clone())
        }
        Value::String(text) if text.is_empty() && clearable => Ok(sent.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(not_an_object(path))
        }
    }
}

fn check_metadata(entries: &Map<String, Value>, path: &str) -> Result<(), SandboxFailure> {
    if entries.len() > METADATA_KEYS_MAX {
        return Err(SandboxFailure::invalid(format!("You can only have {METADATA_KEYS_MAX} metadata keys"))
            .param(path));
    }
    for (key, value) in entries {
        let Some(text) = value.as_str() else {
            return Err(
                SandboxFailure::invalid("Metadata values must be strings".to_owned()).param(join(path, key))
            );
        };
        if key.chars().count() > METADATA_KEY_CHARACTERS_MAX
            || text.chars().count() > METADATA_VALUE_CHARACTERS_MAX
        {
            let message = "Metadata keys can be up to 40 characters long, and values up to 500";
            return Err(SandboxFailure::invalid(message).param(join(path, key)));
        }
    }
    Ok(())
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}[{name}]") }
}

fn unknown(path: &str) -> SandboxFailure {
    SandboxFailure::invalid(format!("Received unknown parameter: {path}"))
        .code("parameter_unknown")
        .param(path)
}

fn not_an_object(path: &str) -> SandboxFailure {
    SandboxFailure::invalid(format!("Invalid object: {path}")).param(path)
}

fn empty(path: &str) -> SandboxFailure {
    let message = format!(
        "You passed an empty string for '{path}'. We assume empty values are an attempt to unset a parameter; \
         however '{path}' cannot be unset. You should remove '{path}' from your request or supply a non-empty value."
    );
    SandboxFailure::invalid(message).code("parameter_invalid_empty").param(path)
}

fn not_a_word(path: &str, words: &str) -> SandboxFailure {
    let words = words.replace('|', ", ");
    SandboxFailure::invalid(format!("Invalid {path}: must be one of {words}")).param(path)
}
