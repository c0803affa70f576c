//! What does an object of Stripe's have at a path, in any API version?
//!
//! Stripe's objects have a different form in each API version, and an event has the version of the day on which it was
//! made.
//! So nothing is required here: every value may be absent, and the caller decides what that means.

mod deployment;
pub mod envelope;
mod stripe_key;

use serde_json::Value;

pub use deployment::{Deployment, StripeMode};
pub use stripe_key::StripeKey;

use crate::domain::{ids::ProviderId, time::Timestamp};

/// The longest text of an event that a reason repeats, in characters.
pub const QUOTED_CHARACTERS_MAX: usize = 64;

/// A part of an event's JSON.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a>(&'a Value);

impl<'a> Document<'a> {
    #[must_use]
    pub const fn new(value: &'a Value) -> Self {
        Self(value)
    }

    /// The value at a path such as `parent.subscription_details`. Null counts as absent.
    #[must_use]
    pub fn find(self, path: &str) -> Option<Self> {
        let value = path.split('.').try_fold(self.0, |value, name| value.get(name))?;
        (!value.is_null()).then_some(Self(value))
    }

    /// The first value that is present at one of these paths. The newest form comes first.
    #[must_use]
    pub fn first(self, paths: &[&str]) -> Option<Self> {
        paths.iter().find_map(|path| self.find(path))
    }

    /// Whether the field is present, including as null: `previous_attributes` shows in this way that a field was not
    /// set before.
    #[must_use]
    pub fn mentions(self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    #[must_use]
    pub fn text(self, path: &str) -> Option<&'a str> {
        self.find(path)?.0.as_str()
    }

    #[must_use]
    pub fn integer(self, path: &str) -> Option<i64> {
        self.find(path)?.as_integer()
    }

    /// A whole number. A float cannot express all amounts of money exactly.
    #[must_use]
    pub fn as_integer(self) -> Option<i64> {
        self.0.as_i64()
    }

    /// A number as text, so that `12.5` and `0.1` are exact.
    #[must_use]
    pub fn decimal(self, path: &str) -> Option<String> {
        match self.find(path)?.0 {
            Value::Number(number) => Some(number.to_string()),
            Value::String(text) => Some(text.clone()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    #[must_use]
    pub fn is_true(self, path: &str) -> bool {
        self.find(path).is_some_and(|found| found.0.as_bool() == Some(true))
    }

    /// From seconds since 1970.
    #[must_use]
    pub fn time(self, path: &str) -> Option<Timestamp> {
        self.integer(path).and_then(Timestamp::from_seconds)
    }

    /// A reference: an id or, if it was expanded, the object with that id.
    #[must_use]
    pub fn id(self, path: &str) -> Option<ProviderId> {
        self.find(path)?.id_of()
    }

    #[must_use]
    pub fn first_id(self, paths: &[&str]) -> Option<ProviderId> {
        paths.iter().find_map(|path| self.id(path))
    }

    #[must_use]
    pub fn id_of(self) -> Option<ProviderId> {
        let text = self.0.as_str().or_else(|| self.text("id"))?;
        ProviderId::parse(text).ok()
    }

    /// The members of a list: an array, or one of Stripe's list objects.
    pub fn members(self, path: &str) -> impl Iterator<Item = Self> + use<'a> {
        let list = self.find(path).map(|found| found.find("data").unwrap_or(found));
        list.and_then(|list| list.0.as_array()).into_iter().flatten().map(Self)
    }

    /// A copy of an object. `None`: it is something else.
    #[must_use]
    pub fn to_value(self) -> Option<Value> {
        self.0.is_object().then(|| self.0.clone())
    }

    /// Whether a list has more members than these.
    #[must_use]
    pub fn is_cut_off(self, path: &str) -> bool {
        self.find(path).is_some_and(|list| list.is_true("has_more"))
    }
}

/// A text of an event for a reason: shortened, and without invisible characters.
#[must_use]
pub fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(QUOTED_CHARACTERS_MAX).collect();
    format!("`{}`", shown.escape_debug())
}
