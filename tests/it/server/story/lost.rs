//! What if a fifth of the recorded webhooks is lost? Each month the server's ledger is compared with Stripe, and it
//! ends as if none had been.

use chrono::TimeDelta;
use counterfoil::{
    domain::time::Timestamp,
    sandbox::{Sandbox, SandboxOptions},
    stripe::{
        inbound::{
            inbox::Inbox,
            reconcile::{ReconcileOptions, Reconciler},
        },
        translate::kinds,
    },
};
use futures::{StreamExt, stream};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};

use super::ending::Ending;
use crate::support::{
    documents::{SHAPES, event, here, story, value},
    in_process::Program,
    shop::client,
};

const SHUFFLES: usize = 50;
const PROGRAMS_MAX: usize = 4;
const LOST_PERCENT: u32 = 20;
/// How often is compared. Stripe lists events for thirty days.
const COMPARED_AFTER_DAYS: i64 = 25;

/// What happened between two comparisons: all of it, and what is delivered of it in which order.
#[derive(Clone, Debug)]
struct Span {
    until: Timestamp,
    happened: Vec<String>,
    delivered: Vec<String>,
}

fn spans(shape: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for file in story(shape) {
        let made = event(shape, &file).created;
        if spans.last().is_none_or(|span| made > span.until) {
            let until = made.plus(TimeDelta::days(COMPARED_AFTER_DAYS));
            spans.push(Span { until, happened: Vec::new(), delivered: Vec::new() });
        }
        let span = spans.last_mut().expect("there is one");
        span.happened.push(file.clone());
        span.delivered.push(file);
    }
    spans
}

/// The same ones in every run: shuffled, doubled, and a fifth lost.
fn tellings(shape: &str) -> Vec<Vec<Span>> {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    let count = std::env::var("STORY_SHUFFLES").map_or(SHUFFLES, |count| count.parse().expect("a number"));
    let mut lossy = |span: Span| {
        let lots = prop::collection::vec(0..100_u32, span.happened.len());
        let lots = lots.new_tree(&mut runner).expect("lots").current();
        let kept = span.happened.iter().zip(lots).filter(|(_, lot)| *lot >= LOST_PERCENT);
        let kept: Vec<String> = kept.map(|(file, _)| file.clone()).collect();
        let doubled: Vec<String> = kept.iter().chain(&kept).cloned().collect();
        let delivered = Just(doubled).prop_shuffle().new_tree(&mut runner).expect("a shuffle").current();
        Span { delivered, ..span }
    };
    (0..count).map(|_| spans(shape).into_iter().map(&mut lossy).collect()).collect()
}

async fn told(shape: &str, spans: &[Span]) -> Ending {
    let program = Program::start(spans[0].until).await;
    let clock = program.server.test.clock.clone();
    let listen = "127.0.0.1:0".parse().expect("an address");
    let options = SandboxOptions { listen, webhook: None, clock: clock.clone(), signing_clock: clock };
    let sandbox = Sandbox::start(options).await.expect("a free port");
    let inbox = Inbox::new(program.server.test.database.pool());
    let stripe = client("sk_test_story", &sandbox.url());
    let reconciler = Reconciler::new(stripe, inbox, program.server.test.ledger.clone(), here());
    for span in spans {
        program.set_time(span.until);
        for file in &span.delivered {
            program.deliver(shape, file).await;
        }
        program.handled().await;
        let happened: Vec<Value> = span.happened.iter().map(|file| value(shape, file)).collect();
        load(&sandbox, &happened).await;
        let since = span.until.minus(TimeDelta::days(365));
        let order = ReconcileOptions { since, fetch_events: true, rebuild_events: true };
        let report = reconciler.run(order, |_, _| {}).await.expect("Stripe answers");
        assert_eq!(report.drifts, [], "{shape}: the events tell everything");
        assert!(report.missing_events.iter().all(|event| event.repaired), "{shape}");
    }
    let end = ReconcileOptions {
        since: spans[0].until.minus(TimeDelta::days(365)),
        fetch_events: false,
        rebuild_events: false,
    };
    let again = reconciler.run(end, |_, _| {}).await.expect("Stripe answers");
    assert!(again.found_nothing(), "{shape}: {again:#?}");
    program.handled().await;
    let mut ending = program.ending().await;
    program.assert_clean().await;
    // What changes nothing is not looked for.
    let changes = |file: &String| kinds::find(&event(shape, file).kind).is_some_and(|kind| kind.effect().0);
    let looked_for: Vec<String> = story(shape).into_iter().filter(changes).collect();
    let looked_for: Vec<String> = looked_for.iter().map(|file| event(shape, file).id.to_string()).collect();
    ending.inbox.retain(|id, _| looked_for.contains(id));
    ending
}

async fn load(sandbox: &Sandbox, events: &[Value]) {
    let url = format!("{}/_sandbox/documents", sandbox.url());
    let answer = reqwest::Client::new().post(url).json(&json!({ "events": events })).send().await;
    assert!(answer.expect("it answers").status().is_success());
}

async fn a_fifth_lost_and_fetched_it_ends_the_same(shape: &'static str) {
    let whole = &told(shape, &spans(shape)).await;
    let endings = stream::iter(tellings(shape).into_iter().enumerate())
        .map(|(number, spans)| async move { (number, told(shape, &spans).await) })
        .buffer_unordered(PROGRAMS_MAX);
    endings.for_each(async |(number, ending)| assert_eq!(ending, *whole, "{shape}, telling {number}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fifth_of_the_older_shape_lost_and_fetched_ends_the_same() {
    a_fifth_lost_and_fetched_it_ends_the_same(SHAPES[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fifth_of_the_newer_shape_lost_and_fetched_ends_the_same() {
    a_fifth_lost_and_fetched_it_ends_the_same(SHAPES[1]).await;
}
