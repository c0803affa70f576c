//! How is an event read that an earlier release wrote?
//!
//! Each type of event has its own versions, from 1 on.
//! An upcaster converts one version of one type to the next, so events are written in the last version that their
//! upcasters lead to.
//! A version that only allows more to be left out needs no conversion, and what is left out is what it always was.
//! The bytes in the journal are never changed; they are only converted when they are read.

use std::borrow::Cow;

use serde_json::Value;

use crate::domain::event::Event;

/// The version of types whose form has never changed.
const FIRST_VERSION: &str = "1";

/// A conversion from one version of an event to the next.
#[derive(Clone, Copy, Debug)]
pub struct Upcaster {
    pub event_type: &'static str,
    pub from: &'static str,
    pub to: &'static str,
    /// `None`: the later version also reads the earlier one.
    pub step: Option<fn(Value) -> Value>,
}

/// All upcasters, for every event whose form has changed.
pub const UPCASTERS: &[Upcaster] = &[
    // The usual spending order and a purpose that says nothing are left out.
    Upcaster { event_type: "CreditsDeducted", from: "1", to: "2", step: None },
];

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

/// The version in which events of a type are written.
#[must_use]
pub fn newest(event_type: &str) -> &'static str {
    newest_by(UPCASTERS, event_type)
}

fn newest_by(upcasters: &[Upcaster], event_type: &str) -> &'static str {
    let last = upcasters.iter().rfind(|upcaster| upcaster.event_type == event_type);
    last.map_or(FIRST_VERSION, |upcaster| upcaster.to)
}

/// Reads a stored event of any version.
///
/// # Errors
/// If no upcasters lead from the version to today's, or the payload is not of that version.
pub fn read(event_type: &str, version: &str, payload: &str) -> Result<Event, UpcastError> {
    read_by(UPCASTERS, event_type, version, payload)
}

fn read_by(
    upcasters: &[Upcaster],
    event_type: &str,
    version: &str,
    payload: &str,
) -> Result<Event, UpcastError> {
    let payload = upcast(upcasters, event_type, version, payload)?;
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
    let Some(first) = step(version) else {
        let unknown =
            || UpcastError::UnknownVersion { event_type: event_type.to_owned(), version: version.to_owned() };
        // A version with an upcaster is an old one; the newest one has none.
        let is_newest = version == newest_by(upcasters, event_type);
        return if is_newest { Ok(Cow::Borrowed(payload)) } else { Err(unknown()) };
    };
    let steps = std::iter::successors(Some(first), |before| step(before.to));
    let mut conversions = steps.filter_map(|upcaster| upcaster.step).peekable();
    if conversions.peek().is_none() {
        return Ok(Cow::Borrowed(payload));
    }
    let value: Value = serde_json::from_str(payload)
        .map_err(|source| UpcastError::Payload { event_type: event_type.to_owned(), source })?;
    Ok(Cow::Owned(conversions.fold(value, |value, convert| convert(value)).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: &[Upcaster] = &[
        Upcaster { event_type: "Thing", from: "1", to: "2", step: Some(|_| Value::from("two")) },
        Upcaster { event_type: "Thing", from: "2", to: "3", step: Some(|value| Value::from(vec![value])) },
        Upcaster { event_type: "Thing", from: "3", to: "4", step: None },
    ];

    #[test]
    fn an_old_event_takes_every_step() {
        assert_eq!(upcast(STEPS, "Thing", "1", "1").expect("known"), r#"["two"]"#);
        assert_eq!(upcast(STEPS, "Thing", "2", "5").expect("known"), "[5]");
        assert_eq!(upcast(STEPS, "Thing", "3", "5").expect("read as it is"), "5");
        assert_eq!(upcast(STEPS, "Thing", "4", "5").expect("newest"), "5");
    }

    /// As if the field `reason` of an adjustment had been called `why` before.
    const RENAMED: &[Upcaster] = &[Upcaster {
        event_type: "CreditsAdjusted",
        from: "1",
        to: "2",
        step: Some(|mut event| {
            let fields = &mut event["CreditsAdjusted"];
            fields["reason"] = fields["why"].take();
            event
        }),
    }];

    #[test]
    fn old_and_new_events_of_one_type_are_read_alike_and_the_other_types_keep_their_version() {
        let told = |field: &str| {
            let fields = format!(
                r#"{{"amount":5,"draws":[],"{field}":"a mistake","effective_at":"2026-11-19T12:00:00.000000Z"}}"#
            );
            format!(r#"{{"CreditsAdjusted":{fields}}}"#)
        };
        let old = read_by(RENAMED, "CreditsAdjusted", "1", &told("why")).expect("it has a step");
        let new = read_by(RENAMED, "CreditsAdjusted", "2", &told("reason")).expect("it is the newest");
        assert_eq!(old, new);
        assert_eq!(newest_by(RENAMED, "CreditsAdjusted"), "2");
        assert_eq!(newest_by(RENAMED, "CreditsGranted"), "1");
        assert!(read_by(RENAMED, "CreditsGranted", "2", "{}").is_err());
    }

    #[test]
    fn an_unknown_version_is_not_guessed() {
        assert!(matches!(upcast(STEPS, "Thing", "5", "5"), Err(UpcastError::UnknownVersion { .. })));
        assert!(matches!(upcast(STEPS, "Other", "2", "5"), Err(UpcastError::UnknownVersion { .. })));
    }
}
