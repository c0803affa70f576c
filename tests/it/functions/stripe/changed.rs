//! Documents with something in them changed.

use proptest::prelude::*;
use serde_json::{Value, json};

/// What a field is replaced by.
pub fn replacement() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!({})),
        Just(json!([])),
        Just(json!(true)),
        Just(json!(i64::MAX)),
        Just(json!(i64::MIN)),
        Just(json!(u64::MAX)),
        Just(json!(-1)),
        Just(json!(0)),
        Just(json!(1e300)),
        Just(json!({"id": {"id": {}}})),
        any::<i64>().prop_map(|number| json!(number)),
        ".{0,40}".prop_map(|text| json!(text)),
    ]
}

/// How many values there are in `value`, itself included.
pub fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(members) => members.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        _ => 0,
    }
}

/// Replaces the value with the number `index`, counted from the root.
pub fn replace(value: &mut Value, index: &mut usize, by: &Value) {
    if *index == 0 {
        *value = by.clone();
        *index = usize::MAX;
        return;
    }
    if *index == usize::MAX {
        return;
    }
    *index -= 1;
    match value {
        Value::Array(members) => members.iter_mut().for_each(|member| replace(member, index, by)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, index, by)),
        _ => {}
    }
}
