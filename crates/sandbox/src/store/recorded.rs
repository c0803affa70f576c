//! Which objects were recorded elsewhere?
//!
//! Lists show them beside the sandbox's own objects, in the form in which they were recorded.
//! If several events have the same object, it is shown as in the newest one.
//! Recorded objects never change, and cause no deliveries.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::call::Call;

/// The parameters that select recorded objects in lists. Each is also a field of the objects.
const FILTERS: [&str; 7] =
    ["customer", "subscription", "status", "payment_intent", "charge", "invoice", "price"];
/// A value of `status` that selects objects of any status.
const EVERY: &str = "all";

#[derive(Debug, Default)]
pub struct RecordedRequest {
    /// By id: the time of the recording, and the object.
    objects: BTreeMap<String, (i64, Value)>,
}

impl RecordedRequest {
    /// Keeps an object as it was at a time, unless a later version is already kept.
    pub fn keep(&mut self, at: i64, object: &Value) {
        let Some(id) = object.get("id").and_then(Value::as_str) else { return };
        if self.objects.get(id).is_none_or(|(known_at, _)| *known_at <= at) {
            self.objects.insert(id.to_owned(), (at, object.clone()));
        }
    }

    pub fn find(&self, id: &str) -> Option<&Value> {
        self.objects.get(id).map(|(_, object)| object)
    }

    /// The object that a `GET` of `path`, such as `/v1/checkout/sessions/{session}`, requests.
    /// `None` if the object with this id is of another kind.
    pub fn retrieve(&self, path: &str, id: &str) -> Option<&Value> {
        let (kinds, _) = path.strip_prefix("/v1/")?.split_once("/{").filter(|_| path.ends_with('}'))?;
        let kind = kinds.strip_suffix('s')?.replace('/', ".");
        self.find(id).filter(|object| text(object, "object") == Some(&kind))
    }

    /// The members of a list within an object.
    pub fn members(&self, id: &str, list: &str) -> Option<Vec<Value>> {
        self.find(id)?.get(list)?.get("data")?.as_array().cloned()
    }

    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The objects of a kind that the parameters of a list select.
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
