//! What does a form say? Names with brackets, such as `items[0][price]=x`, are read as a tree of texts.
//!
//! Numbers in brackets stay names here.
//! Only `parameters`, which has the description of each parameter, can tell places in a list from keys of metadata.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// The deepest nesting of brackets.
const DEPTH_MAX: usize = 12;

/// Reads `a=1&b[c]=2`. Pairs that cannot be read are ignored, as at Stripe.
pub fn parse(form: &str) -> Map<String, Value> {
    let mut tree = Map::new();
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let path = path_of(&decode(name));
        if path.len() <= DEPTH_MAX {
            insert(&mut tree, &path, decode(value));
        }
    }
    tree
}

/// The names in `a[b][]`: `a`, `b`, and an empty name for the next place in a list.
fn path_of(name: &str) -> Vec<String> {
    let (first, rest) = name.split_once('[').unwrap_or((name, ""));
    let rest = rest.strip_suffix(']').unwrap_or(rest);
    let mut path = vec![first.to_owned()];
    if name.contains('[') {
        path.extend(rest.split("][").map(str::to_owned));
    }
    path
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn insert(tree: &mut Map<String, Value>, path: &[String], value: String) {
    let Some((first, rest)) = path.split_first() else { return };
    let name = if first.is_empty() { place(tree, rest) } else { first.clone() };
    if rest.is_empty() {
        tree.insert(name, Value::String(value));
        return;
    }
    let inner = tree.entry(name).or_insert_with(|| Value::Object(Map::new()));
    if !inner.is_object() {
        *inner = Value::Object(Map::new());
    }
    if let Value::Object(inner) = inner {
        insert(inner, rest, value);
    }
}

/// The place that `[]` means: the last element if it lacks the next name, or else a new element.
fn place(list: &Map<String, Value>, rest: &[String]) -> String {
    let last = list.len().saturating_sub(1).to_string();
    let lacks = |next: &String| {
        let element = list.get(&last).and_then(Value::as_object);
        element.is_some_and(|element| !element.contains_key(next))
    };
    match rest.first() {
        Some(next) if !next.is_empty() && lacks(next) => last,
        Some(_) | None => list.len().to_string(),
    }
}
