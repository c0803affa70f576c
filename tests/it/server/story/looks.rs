//! What does a caller see change when one document has come?

use counterfoil::domain::time::Timestamp;
use serde_json::Value;

use super::{
    ending::latest,
    expected::{self, NAMES},
};
use crate::support::{
    documents::{SHAPES, event, story, value},
    in_process::Program,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_document_does_what_its_manifest_expects() {
    for shape in SHAPES {
        let files = story(shape);
        let begin = event(shape, &files[0]).created;
        let program = Program::start(begin).await;
        let expects = value(shape, "_manifest.json");
        let expects = expects["events"].as_array().expect("events");
        let mut failed = Vec::new();
        for file in &files {
            let told = event(shape, file);
            program.set_time(told.created);
            let before = program.look().await;
            program.deliver(shape, file).await;
            program.handled().await;
            let changes = before.changes(&program.look().await);
            let state = program.delivery(told.id.as_str()).await["state"].take();
            let line = expected::line(shape, file);
            if (state.as_str(), changes.as_str()) != (Some(line.state), line.changes) {
                let expect = expects.iter().find(|entry| entry["file"] == file.as_str()).expect("listed");
                let expect = expect["expect"].as_str().expect("text");
                failed.push(format!(
                    "{shape}/{file} ({expect}):\n  expected {} {}\n  but was  {state} {changes}",
                    line.state, line.changes
                ));
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
        let opened = ["customer.created.json", "customer.created.bob.json"];
        program.ending().await.assert_is_the_one(shape, opened.map(|file| event(shape, file).created));
        program.assert_clean().await;
    }
}

/// What callers see, in the middle of the story.
struct Look {
    accounts: Vec<Option<Seen>>,
    mrr: i64,
}

struct Seen {
    plan: Value,
    status: Value,
    collection_paused: bool,
    cancel_at: Value,
    events: Vec<Value>,
}

impl Program {
    async fn look(&self) -> Look {
        let (mut accounts, mut positions) = (Vec::new(), Vec::new());
        for (_, id) in NAMES {
            let answer = self.server.get(&format!("/v1/accounts/{id}")).send().await;
            if answer.status == 404 {
                accounts.push(None);
                continue;
            }
            positions.push(answer.body["position"].as_str().expect("a position").to_owned());
            accounts.push(Some(self.see(id).await));
        }
        let mrr = if positions.is_empty() { 0 } else { self.mrr_now(latest(&positions)).await };
        Look { accounts, mrr }
    }

    async fn see(&self, id: &str) -> Seen {
        let mut subscription = self.read(&format!("/v1/accounts/{id}/subscription")).await;
        let mut events = self.read(&format!("/v1/accounts/{id}/events?limit=1000")).await;
        let mut terms = subscription["subscription"].take();
        Seen {
            plan: subscription["plan"].take(),
            collection_paused: terms["collection_paused"] == true,
            status: terms["status"].take(),
            cancel_at: terms["cancel_at"].take(),
            events: events["events"].as_array_mut().map(std::mem::take).expect("events"),
        }
    }

    async fn mrr_now(&self, position: &str) -> i64 {
        let today = Timestamp::to_utc(self.now()).date_naive();
        let span = format!("from={today}&to={today}&min_position={position}");
        let mrr = self.read(&format!("/v1/analytics/mrr?{span}")).await;
        mrr["series"]
            .as_array()
            .expect("a series")
            .iter()
            .map(|one| one["mrr"].as_i64().expect("whole"))
            .sum()
    }
}

impl Look {
    fn changes(&self, after: &Self) -> String {
        let accounts = NAMES.iter().zip(self.accounts.iter().zip(&after.accounts));
        let mut changes: Vec<String> = accounts
            .filter_map(|((name, _), (before, after))| {
                let changes = after.as_ref()?.since(before.as_ref());
                (!changes.is_empty()).then(|| format!("{name}: {changes}"))
            })
            .collect();
        if self.mrr != after.mrr {
            changes.push(format!("MRR {}", after.mrr));
        }
        changes.join("; ")
    }
}

impl Seen {
    fn since(&self, before: Option<&Self>) -> String {
        let known = before.map_or(0, |before| before.events.len());
        let new = (known..self.events.len()).map(|place| (&self.events[place], &self.events[..place]));
        let told = new.filter(|(event, before)| !is_by_the_clock(event, before));
        let events: Vec<_> = told.map(|(event, _)| words(event)).collect();
        let mut changes = Vec::from_iter((!events.is_empty()).then(|| events.join(", ")));
        let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
        let changed = |of: fn(&Self) -> &Value| before.map_or(&Value::Null, of) != of(self);
        if changed(|seen| &seen.plan) {
            changes.push(format!("plan {}", text(&self.plan)));
        }
        if changed(|seen| &seen.status) {
            changes.push(format!("status {}", text(&self.status)));
        }
        if changed(|seen| &seen.cancel_at) {
            changes.push(format!("until {}", text(&self.cancel_at).get(5..10).unwrap_or("no end")));
        }
        if self.collection_paused != before.is_some_and(|before| before.collection_paused) {
            let collection = if self.collection_paused { "paused" } else { "goes on" };
            changes.push(format!("collection {collection}"));
        }
        changes.join("; ")
    }
}

/// An event in a few words: its name, and how much of what.
fn words(event: &Value) -> String {
    let (name, data) = (event["type"].as_str().expect("a name"), &event["data"]);
    match name {
        "CreditsGranted" => {
            let grant = &data["grant"];
            format!("{name} {} {}", grant["amount"], kind(&grant["grant_id"]))
        }
        "PaymentSucceeded" => format!("{name} {}", data["money"]["minor"]),
        "GrantEndMoved" => {
            let ends_at = data["ends_at"].as_str().expect("a time");
            format!("{name} {} to {}", kind(&data["grant_id"]), ends_at.get(5..10).expect("a day"))
        }
        "CreditsClawedBack" => format!("{name} {}", data["voided"]),
        _ => name.to_owned(),
    }
}

fn kind(grant_id: &Value) -> &str {
    grant_id.as_str().and_then(|id| id.split(':').next()).expect("a kind")
}

/// Whether a grant ended, or is bridged, because its time was over, and not because of what was told.
fn is_by_the_clock(event: &Value, before: &[Value]) -> bool {
    if event["type"] != "GrantEndMoved" {
        return event["type"] == "CreditsExpired";
    }
    let grant_id = &event["data"]["grant_id"];
    let mut ends = before.iter().filter_map(|event| {
        let data = &event["data"];
        let granted = Some(&data["grant"]["expires_at"]).filter(|_| data["grant"]["grant_id"] == *grant_id);
        let moved = Some(&data["ends_at"])
            .filter(|_| event["type"] == "GrantEndMoved" && data["grant_id"] == *grant_id);
        granted.or(moved)
    });
    ends.next_back() == Some(&event["data"]["effective_at"])
}
