//! What does a request ask for? Ids from its path, and typed parameters under dotted names.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::failure::SandboxFailure;

pub type ObjectMetadata = BTreeMap<String, String>;

/// A checked request to an operation.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// The ids in the path, in order.
    pub ids: Vec<String>,
    pub params: Params,
}

impl Call {
    /// The last id in the path.
    pub fn id(&self) -> &str {
        self.ids.last().map_or("", String::as_str)
    }
}

/// Parameters that `parameters::conform` has checked.
#[derive(Clone, Debug, Default)]
pub struct Params(pub Map<String, Value>);

impl Params {
    /// The parameter with a dotted name: `a.b` was sent as `a[b]`.
    pub fn find(&self, name: &str) -> Option<&Value> {
        let mut names = name.split('.');
        let mut value = self.0.get(names.next()?)?;
        for name in names {
            value = value.get(name)?;
        }
        Some(value)
    }

    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// A text, unless it is empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.find(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    pub fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    pub fn required(&self, name: &str) -> Result<&str, SandboxFailure> {
        self.text(name).ok_or_else(|| SandboxFailure::missing(name))
    }

    pub fn integer(&self, name: &str) -> Option<i64> {
        self.find(name).and_then(Value::as_i64)
    }

    pub fn boolean(&self, name: &str) -> Option<bool> {
        self.find(name).and_then(Value::as_bool)
    }

    /// Whether the parameter was sent as an empty text, which removes a value.
    pub fn clears(&self, name: &str) -> bool {
        self.find(name).and_then(Value::as_str) == Some("")
    }

    pub fn list(&self, name: &str) -> Vec<Self> {
        let elements = self.find(name).and_then(Value::as_array).into_iter().flatten();
        elements.filter_map(|element| element.as_object().cloned().map(Self)).collect()
    }

    pub fn texts(&self, name: &str) -> Vec<String> {
        let elements = self.find(name).and_then(Value::as_array).into_iter().flatten();
        elements.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    pub fn nested(&self, name: &str) -> Option<Self> {
        self.find(name).and_then(Value::as_object).cloned().map(Self)
    }

    /// Sets or, with an empty text, removes `target`. A parameter that was not sent changes nothing.
    pub fn assign(&self, name: &str, target: &mut Option<String>) {
        if self.has(name) {
            *target = self.owned(name);
        }
    }

    pub fn metadata(&self, name: &str) -> ObjectMetadata {
        let mut metadata = ObjectMetadata::new();
        self.merge_metadata(name, &mut metadata);
        metadata
    }

    /// Merges metadata by key. An empty value removes its key, and an empty parameter removes all keys.
    pub fn merge_metadata(&self, name: &str, target: &mut ObjectMetadata) {
        if self.clears(name) {
            target.clear();
        }
        let entries = self.find(name).and_then(Value::as_object).into_iter().flatten();
        for (key, value) in entries {
            match value.as_str() {
                Some("") | None => target.remove(key),
                Some(text) => target.insert(key.clone(), text.to_owned()),
            };
        }
    }
}
