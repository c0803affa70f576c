//! No document, however broken, makes the translation fail in another way than by saying why.

use counterfoil::stripe::{
    envelope::Envelope,
    translate::{Instructions, translate},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::documents::{SHAPES, catalog, here, read, story};

/// What a field is replaced by.
fn replacement() -> impl Strategy<Value = Value> {
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
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(members) => members.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        _ => 0,
    }
}

/// Replaces the value with the number `index`, counted from the root.
fn replace(value: &mut Value, index: &mut usize, by: &Value) {
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

fn check(body: &[u8]) {
    let Ok(event) = Envelope::parse(body) else { return };
    match translate(&event, &catalog(), &here()) {
        Ok(Instructions { steps, .. }) => {
            assert!(steps.iter().all(|step| step.key.len() < 512), "keys stay short");
        }
        Err(aside) => assert!(!aside.because().is_empty() && aside.because().len() < 1024),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn changed_documents_are_translated_or_set_aside(
        shape in 0..2_usize,
        file in 0..60_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), replacement()), 1..4),
    ) {
        let files = story(SHAPES[shape]);
        let mut document: Value = serde_json::from_slice(&read(SHAPES[shape], &files[10 + file])).unwrap();
        for (index, by) in changes {
            let mut place = index.index(size(&document));
            replace(&mut document, &mut place, &by);
        }
        check(&serde_json::to_vec(&document).unwrap());
    }

    #[test]
    fn bytes_that_were_damaged_are_translated_or_set_aside(
        file in 0..60_usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let files = story(SHAPES[1]);
        let mut body = read(SHAPES[1], &files[10 + file]);
        for (index, byte) in damage {
            let place = index.index(body.len());
            body[place] = byte;
        }
        check(&body);
    }
}
