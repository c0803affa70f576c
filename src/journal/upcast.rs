//! How is an event read that an earlier release wrote?
//!
//! Each step turns one version of one event into the next version. There is none yet: every event is of
//! version 1. The bytes in the journal are never changed; only what is read of them is.

use std::borrow::Cow;

use serde_json::Value;

use crate::domain::event::Event;

use super::row::EVENT_VERSION;

/// A step from one version of an event to the next.
#[derive(Clone, Copy, Debug)]
pub struct Upcaster {
    pub event_type: &'static str,
    pub from: &'static str,
    pub to: &'static str,
    pub step: fn(Value) -> Value,
}

/// All steps, for every event whose form has changed.
pub const UPCASTERS: &[Upcaster] = &[];

#[derive(Debug, thiserror::Error)]
pub enum UpcastError {
    #[error("no release of this program reads version {version} of {event_type}")]
    UnknownVersion { event_type: String, version: String },
    #[error("the payload is not a {event_type}")]
    Payload {
        event_type: String,
        #[source]
        source: serde_json::Error,
    },
}

/// Reads a stored event, in whatever version it was written.
///
/// # Errors
/// When the version has no path to today's, or the payload is not of that version.
pub fn read(event_type: &str, version: &str, payload: &str) -> Result<Event, UpcastError> {
    let payload = upcast(UPCASTERS, event_type, version, payload)?;
    serde_json::from_str(&payload)
        .map_err(|source| UpcastError::Payload { event_type: event_type.to_owned(), source })
}

fn upcast<'a>(
    upcasters: &[Upcaster],
    event_type: &str,
    version: &str,
    payload: &'a str,
) -> Result<Cow<'a, str>, UpcastError> {
    let step = |version: &str| {
        upcasters.iter().find(|upcaster| upcaster.event_type == event_type && upcaster.from == version)
    };
    let Some(mut next) = step(version) else {
        let unknown =
            || UpcastError::UnknownVersion { event_type: event_type.to_owned(), version: version.to_owned() };
        // A version with steps from it is an old one; the newest one has none.
        let newest = upcasters.iter().rfind(|upcaster| upcaster.event_type == event_type);
        let newest = newest.map_or(EVENT_VERSION, |upcaster| upcaster.to);
        return if version == newest { Ok(Cow::Borrowed(payload)) } else { Err(unknown()) };
    };
    let mut value: Value = serde_json::from_str(payload)
        .map_err(|source| UpcastError::Payload { event_type: event_type.to_owned(), source })?;
    loop {
        value = (next.step)(value);
        match step(next.to) {
            Some(upcaster) => next = upcaster,
            None => return Ok(Cow::Owned(value.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: &[Upcaster] = &[
        Upcaster { event_type: "Thing", from: "1", to: "2", step: |_| Value::from("two") },
        Upcaster { event_type: "Thing", from: "2", to: "3", step: |value| Value::from(vec![value]) },
    ];

    #[test]
    fn an_old_event_takes_every_step() {
        assert_eq!(upcast(STEPS, "Thing", "1", "1").expect("known"), r#"["two"]"#);
        assert_eq!(upcast(STEPS, "Thing", "2", "5").expect("known"), "[5]");
        assert_eq!(upcast(STEPS, "Thing", "3", "5").expect("newest"), "5");
    }

    #[test]
    fn an_unknown_version_is_not_guessed() {
        assert!(matches!(upcast(STEPS, "Thing", "4", "5"), Err(UpcastError::UnknownVersion { .. })));
        assert!(matches!(upcast(STEPS, "Other", "2", "5"), Err(UpcastError::UnknownVersion { .. })));
    }
}
