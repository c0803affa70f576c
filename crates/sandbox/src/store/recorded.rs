//! What if the story was not lived here? Documents that were recorded elsewhere are listed beside what happens here.
//!
//! They are shown as they were given, in the shape that they have; of an object that several events tell of, as the
//! newest one says. Nothing happens to them here, and nobody is told of them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::call::Call;

/// The parameters of lists by which recorded objects are chosen: fields that they have too.
const FILTERS: [&str; 7] =
    ["customer", "subscription", "status", "payment_intent", "charge", "invoice", "price"];
/// Values of `status` that are no status.
const EVERY: &str = "all";

#[derive(Debug, Default)]
pub struct RecordedRequest {
    /// By id: when it was so, and what.
    objects: BTreeMap<String, (i64, Value)>,
}

impl RecordedRequest {
    /// Keeps an object as it was at a time, unless it is known as it was later.
    pub fn keep(&mut self, at: i64, object: &Value) {
        let Some(id) = object.get("id").and_then(Value::as_str) else { return };
        if self.objects.get(id).is_none_or(|(known_at, _)| *known_at <= at) {
            self.objects.insert(id.to_owned(), (at, object.clone()));
        }
    }

    pub fn find(&self, id: &str) -> Option<&Value> {
        self.objects.get(id).map(|(_, object)| object)
    }

    /// The object that a `GET` of `path` asks for, such as `/v1/checkout/sessions/{session}`: one of another kind is
    /// not there.
    pub fn retrieve(&self, path: &str, id: &str) -> Option<&Value> {
        let (kinds, _) = path.strip_prefix("/v1/")?.split_once("/{").filter(|_| path.ends_with('}'))?;
        let kind = kinds.strip_suffix('s')?.replace('/', ".");
        self.find(id).filter(|object| text(object, "object") == Some(&kind))
    }

    /// The members of a list inside of an object.
    pub fn members(&self, id: &str, list: &str) -> Option<Vec<Value>> {
        self.find(id)?.get(list)?.get("data")?.as_array().cloned()
    }

    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The objects of a kind that a list asks for.
    pub fn list<'a>(&'a self, kind: &'a str, call: &'a Call) -> impl Iterator<Item = &'a Value> {
        let of_kind = self.objects.values().map(|(_, object)| object);
        let of_kind = of_kind.filter(move |object| text(object, "object") == Some(kind));
        let of_kind = of_kind.filter(|object| object.get("deleted").is_none());
        of_kind.filter(move |object| FILTERS.iter().all(|name| fits(object, name, call)))
    }
}

fn fits(object: &Value, name: &str, call: &Call) -> bool {
    let wanted = call.params.text(name).filter(|wanted| *wanted != EVERY);
    wanted.is_none_or(|wanted| text(object, name) == Some(wanted))
}

fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}
