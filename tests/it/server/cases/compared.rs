//! Each case is compared with what Stripe says in the end: is there a difference where there is none?

use std::fs;

use chrono::TimeDelta;
use counterfoil::stripe::inbound::reconcile::Drift;

use super::documents;
use crate::support::{bureau::Bureau, catalogs};

/// What the sessions sold that name no pack is in no input, so it cannot be asked for.
const WITHOUT_ITEMS: &str = "F14_pack_without_metadata";

fn inputs() -> Vec<String> {
    let files = fs::read_dir(documents::path("")).expect("the folder of inputs");
    let names = files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect();
    names.sort_unstable();
    names
}

/// What differs when all events of an input have been told, each when it happened.
async fn differences(input: &str) -> Vec<String> {
    let mut events = documents::events(input);
    events.sort_by_key(documents::created);
    let bureau = Bureau::selling(catalogs::music(), documents::created(&events[0])).await;
    for event in &events {
        bureau.desk.clock().set(documents::created(event));
        bureau.desk.take(event).await;
        bureau.desk.work().await;
    }
    // What waits for something is tried again.
    bureau.desk.clock().set(documents::after(&events).plus(TimeDelta::hours(1)));
    bureau.desk.work().await;
    // Lists go by when an object was made, and by whether a session is complete, which not every input says.
    for event in &mut events {
        let created = event["created"].clone();
        let object = &mut event["data"]["object"];
        if object["created"].is_null() {
            object["created"] = created;
        }
        if object["object"] == "checkout.session" && object["status"].is_null() {
            object["status"] = "complete".into();
        }
    }
    bureau.happened(&events, &[]).await;
    let report = bureau.run(false).await;
    assert!(report.read.iter().any(|(kind, count)| *kind != "event" && *count > 0), "{input}");
    let shown = |drift: &Drift| format!("{}: {} / {}", drift.object, drift.stripe_says, drift.ledger_says);
    let left_out = report.not_compared.iter().map(|left_out| format!("not compared: {left_out:?}"));
    report.drifts.iter().map(shown).chain(left_out).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_told_whole_is_the_same_at_stripe() {
    let mut found = Vec::new();
    for input in inputs().into_iter().filter(|input| input != WITHOUT_ITEMS) {
        let differences = differences(&input).await;
        found.extend(differences.into_iter().map(|difference| format!("{input}: {difference}")));
    }
    assert!(found.is_empty(), "{found:#?}");
}
