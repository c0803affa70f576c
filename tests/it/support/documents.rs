//! The recorded documents: one billing story in two shapes of the API, and awkward deliveries.

use std::{fs, path::PathBuf, sync::Arc};

use counterfoil::{
    domain::{catalog::Catalog, ids::PlanId},
    stripe::{
        Deployment, StripeMode,
        documents::envelope::Envelope,
        translate::{Translation, translate},
    },
};
use serde_json::Value;

use super::catalogs;

pub const SHAPES: [&str; 2] = ["2024-04-10", "2025-basil"];

pub const ADA: &str = "3f6c1b1e-5a0e-4d1a-9a53-0c3a4d2f7a01";
pub const BOB: &str = "9b2d7c44-1f0b-4c57-8e6f-6d2b1a9c5e02";

pub fn read(shape: &str, file: &str) -> Vec<u8> {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "tests/it/support/webhooks", shape, file].iter().collect();
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn value(shape: &str, file: &str) -> Value {
    serde_json::from_slice(&read(shape, file)).unwrap()
}

/// The story's files, in the order of time, alternative endings left out.
pub fn story(shape: &str) -> Vec<String> {
    let manifest = value(shape, "_manifest.json");
    let events = manifest["events"].as_array().unwrap().iter();
    let main = events.filter(|event| event["story"] == "main");
    main.map(|event| event["file"].as_str().unwrap().to_owned()).collect()
}

/// All of them, with the alternative endings.
pub fn all(shape: &str) -> Vec<String> {
    let manifest = value(shape, "_manifest.json");
    let events = manifest["events"].as_array().unwrap().iter();
    events.map(|event| event["file"].as_str().unwrap().to_owned()).collect()
}

pub fn event(shape: &str, file: &str) -> Envelope {
    Envelope::parse(&read(shape, file)).unwrap()
}

pub fn here() -> Deployment {
    Deployment::new(StripeMode::Test)
}

pub fn catalog() -> Arc<Catalog> {
    catalogs::unset(catalogs::MUSIC)
}

pub fn translated(shape: &str, file: &str) -> Translation {
    translate(&event(shape, file), &catalog(), &here())
}

pub fn translated_value(value: &Value) -> Translation {
    let event = Envelope::parse(&serde_json::to_vec(value).unwrap()).unwrap();
    translate(&event, &catalog(), &here())
}

pub fn plan(id: &str) -> PlanId {
    PlanId::parse(id).unwrap()
}
