//! Are stored events still read as what they were? The stored form of every event is a contract: what was written once
//! can be read for ever.
//!
//! `UPDATE_GOLDEN=1 cargo test contracts` rewrites the files. A change of a file that is there already needs an
//! upcaster; a new file does not.

mod metadata;
mod samples;

use std::{collections::BTreeSet, fs, path::PathBuf};

use counterfoil::{
    domain::{
        credits::Balance,
        event::Event,
        recorded::{Position, RecordedEvent, Shard},
        statement::LineKind,
    },
    journal::upcast::{self, UPCASTERS},
    queries::statement::lines_of,
};
use serde_json::Value;
use strum::IntoEnumIterator;

use crate::support::ledger::{account, metadata, noon};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn golden(name: &str) -> PathBuf {
    root().join("tests/it/functions/contracts/events").join(format!("{name}.json"))
}

fn schemas() -> PathBuf {
    root().join("docs/event-schemas.json")
}

fn pretty(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("it is JSON");
    text.push('\n');
    text
}

/// Compares with the file, or rewrites it when that was asked for.
fn assert_same_as(path: &PathBuf, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().expect("the file is in a folder")).expect("the folder can be made");
        fs::write(path, text).expect("the file can be written");
    }
    let stored = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(stored, text, "{} differs from what the program writes", path.display());
}

fn schema() -> Value {
    serde_json::to_value(schemars::schema_for!(Event)).expect("a schema is JSON")
}

/// The name of each variant, as the schema lists them.
fn names(schema: &Value) -> BTreeSet<String> {
    let variants = schema["oneOf"].as_array().expect("an event is one of several");
    let names = variants.iter().filter_map(|variant| variant["required"][0].as_str());
    names.map(str::to_owned).collect()
}

#[test]
fn every_event_is_stored_as_its_golden_file_says() {
    for event in samples::events() {
        assert_same_as(&golden(event.name()), &pretty(&event));
    }
}

#[test]
fn every_event_has_a_golden_file_and_no_file_is_left_over() {
    let sampled: BTreeSet<String> = samples::events().iter().map(|event| event.name().to_owned()).collect();
    assert_eq!(sampled, names(&schema()));
    let files =
        fs::read_dir(root().join("tests/it/functions/contracts/events")).expect("the folder is there");
    let files = files.map(|file| file.expect("the folder can be read").path());
    let stored = files.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()));
    assert_eq!(stored.collect::<BTreeSet<String>>(), sampled);
}

#[test]
fn every_golden_file_is_read_as_the_event_that_it_was() {
    for event in samples::events() {
        let stored = fs::read_to_string(golden(event.name())).expect("the file is there");
        let read: Event = serde_json::from_str(&stored).expect("it is an event");
        assert_eq!(read, event);
    }
}

/// The forms of events that were stored before a field was added: what is read of them is what they say, and no more.
#[test]
fn what_was_stored_before_a_field_was_added_is_read_as_what_it_was() {
    let earlier = fs::read_dir(root().join("tests/it/functions/contracts/earlier")).expect("it is there");
    let mut read = 0;
    for file in earlier {
        let stored = fs::read_to_string(file.expect("it can be read").path()).expect("it is there");
        let event: Event = serde_json::from_str(&stored).expect("it is an event");
        assert_eq!(pretty(&event), stored);
        read += 1;
    }
    assert!(read >= 3, "{read} files");
}

/// Files are named by type and version.
#[test]
fn what_was_stored_in_an_earlier_version_is_read_as_what_it_was() {
    let files = fs::read_dir(root().join("tests/it/functions/contracts/versions")).expect("it is there");
    let mut read = Vec::new();
    for file in files {
        let path = file.expect("it can be read").path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("it has a name").to_owned();
        let (event_type, version) = name.split_once('.').expect("a type and a version");
        assert_ne!(version, upcast::newest(event_type), "{name} is not an earlier version");
        let stored = fs::read_to_string(&path).expect("it is there");
        let event = upcast::read(event_type, version, &stored).expect("it is readable");
        assert!(samples::events().contains(&event), "{event:?}");
        read.push(name);
    }
    let earlier = UPCASTERS.iter().map(|upcaster| format!("{}.{}", upcaster.event_type, upcaster.from));
    assert_eq!(read, earlier.collect::<Vec<_>>(), "each earlier version has a file");
}

#[test]
fn the_name_of_an_event_is_its_stored_name() {
    for event in samples::events() {
        let stored = serde_json::to_value(&event).expect("an event is JSON");
        let keys: Vec<&String> = stored.as_object().expect("an event is an object").keys().collect();
        assert_eq!(keys, [event.name()]);
    }
}

#[test]
fn the_schemas_are_the_programs() {
    assert_same_as(&schemas(), &pretty(&schema()));
}

#[test]
fn every_golden_file_follows_the_schemas() {
    let stored = fs::read_to_string(schemas()).expect("the schemas are there");
    let schema: Value = serde_json::from_str(&stored).expect("the schemas are JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schemas are a JSON Schema");
    for event in samples::events() {
        let stored = fs::read_to_string(golden(event.name())).expect("the file is there");
        let instance: Value = serde_json::from_str(&stored).expect("it is JSON");
        let mistakes: Vec<String> = validator.iter_errors(&instance).map(|error| error.to_string()).collect();
        assert!(mistakes.is_empty(), "{}: {mistakes:?}", event.name());
    }
}

/// No event carries personal data: no field is named for any.
#[test]
fn no_event_has_a_field_for_personal_data() {
    let schema = schema().to_string();
    for field in ["email", "first_name", "last_name", "phone", "address", "ip_address"] {
        assert!(!schema.contains(&format!("\"{field}\":")), "{field}");
    }
}

/// A page of a statement reads only the types of events that can have such a line.
#[test]
fn each_kind_of_line_names_the_events_that_have_it() {
    let mut seen = BTreeSet::new();
    for event in samples::events() {
        for line in lines_of(&recorded(event.clone())) {
            assert!(line.kind.event_types().contains(&event.name()), "{} of {}", line.kind, event.name());
            seen.insert((line.kind, event.name()));
        }
    }
    let named = names(&schema());
    for kind in LineKind::iter() {
        assert!(kind.event_types().iter().all(|name| named.contains(*name)), "{kind}");
        let is_of_a_grant = kind.event_types().contains(&"CreditsGranted");
        let shown = kind.event_types().iter().all(|name| seen.contains(&(kind, *name)));
        assert!(shown || is_of_a_grant, "a sample has a line {kind}");
    }
}

fn recorded(event: Event) -> RecordedEvent {
    let balance = Balance::default();
    RecordedEvent {
        shard: Shard(0),
        position: Position(1),
        account: account("acme"),
        sequence: 1,
        recorded_at: noon(),
        event,
        metadata: metadata(balance, None),
    }
}
