//! Webhooks of a sender that is not Stripe: `localstripe`, a stand-in of 2017 with its own idea of what an event is. It
//! is installed from PyPI and runs as a program of its own.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use counterfoil::clock::Clock;
use serde_json::{Value, json};

use crate::support::{Scratch, http::WEBHOOK_SECRET, in_process::Program, python};

const PATIENCE: Duration = Duration::from_secs(60);
/// Its own start listens on every interface, and keeps its things in a file that all of its kind share.
const START: &str = "\
import socket, sys
from aiohttp import web
from localstripe.resources import store
from localstripe.server import app
store.dump_to_disk = lambda: None
listener = socket.create_server(('127.0.0.1', 0))
print(listener.getsockname()[1], flush=True)
web.run_app(app, sock=listener, print=None)";

/// A price of the music catalog. It has plans only, and takes any name for them.
const BASIC: &str = "price_1QLedgerBasicMonthly00001";

struct Foreign {
    child: Child,
    url: String,
    client: reqwest::Client,
}

impl Foreign {
    async fn start(python: &Path, home: &Path) -> Self {
        let mut command = Command::new(python);
        command.args(["-c", START]).current_dir(home).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it starts");
        let stdout = child.stdout.take().expect("it is piped");
        let port = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).map(|_| line)
        });
        let port = port.await.unwrap().expect("it says its port");
        let url = format!("http://127.0.0.1:{}", port.trim());
        Self { child, url, client: reqwest::Client::new() }
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Value {
        let request =
            self.client.post(format!("{}{path}", self.url)).bearer_auth("sk_test_12345").form(fields);
        let answer = request.send().await.expect("it answers");
        let (status, text) = (answer.status(), answer.text().await.expect("text"));
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What came, and in which state it ended; what was not processed has a reason.
async fn told(program: &Program, events: usize) -> Vec<(String, String)> {
    let begin = Instant::now();
    loop {
        program.handled().await;
        let listed = program.read("/v1/inbox?limit=100").await;
        let listed = listed["events"].as_array().expect("a list");
        // One may have come since the others were handled.
        let handled: Vec<_> = listed.iter().filter(|event| event["state"] != "received").collect();
        let mut told: Vec<_> = handled.into_iter().map(ended).collect();
        if told.len() >= events {
            told.sort_unstable();
            return told;
        }
        assert!(begin.elapsed() < PATIENCE, "{} of {events} events came: {told:#?}", told.len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn ended(event: &Value) -> (String, String) {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    assert!(text("state") == "processed" || !text("reason").is_empty(), "{event:#}");
    (text("type"), text("state"))
}

/// Somebody subscribes to Basic with this card.
async fn subscribe(foreign: &Foreign, account: &str, card: &str) -> Value {
    let customer = foreign.post("/v1/customers", &[("metadata[account_id]", account)]).await;
    let customer = customer["id"].as_str().expect("an id");
    let number = ("source[number]", card);
    let rest = [("source[exp_month]", "12"), ("source[exp_year]", "2040"), ("source[cvc]", "123")];
    let source = [&[("source[object]", "card"), number], &rest[..]].concat();
    foreign.post(&format!("/v1/customers/{customer}/sources"), &source).await;
    foreign.post("/v1/subscriptions", &[("customer", customer), ("items[0][plan]", BASIC)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_odd_events_of_localstripe_are_understood_or_refused_with_a_reason() {
    let python =
        tokio::task::spawn_blocking(|| python::with(python::LOCALSTRIPE, "localstripe")).await.unwrap();
    let Some(python) = python else { return };
    let home = Scratch::create();
    let foreign = Foreign::start(&python, home.path()).await;
    let program = Program::start(Clock::system().now()).await;
    let url = format!("{}/v1/webhooks/stripe", program.server.address);
    foreign.post("/_config/webhooks/ours", &[("url", &url), ("secret", WEBHOOK_SECRET)]).await;

    let product = foreign.post("/v1/products", &[("name", "Basic"), ("type", "service")]).await;
    let product = product["id"].as_str().expect("an id");
    let price = [("amount", "999"), ("currency", "usd"), ("interval", "month")];
    foreign.post("/v1/plans", &[&[("id", BASIC), ("product", product)], &price[..]].concat()).await;
    subscribe(&foreign, "acme", "4242424242424242").await;
    subscribe(&foreign, "broke", "4000000000000341").await;

    let told = told(&program, 12).await;
    let told: Vec<(&str, &str)> = told.iter().map(|(kind, state)| (kind.as_str(), state.as_str())).collect();
    assert_eq!(
        told,
        [
            ("customer.created", "processed"),
            ("customer.created", "processed"),
            ("customer.source.created", "ignored"),
            ("customer.source.created", "ignored"),
            // Its subscriptions have no currency, and are in that of their prices; one is not paid and has not started.
            ("customer.subscription.created", "ignored"),
            ("customer.subscription.created", "processed"),
            ("invoice.created", "ignored"),
            ("invoice.created", "ignored"),
            ("invoice.payment_succeeded", "processed"),
            ("payment_intent.succeeded", "ignored"),
            ("plan.created", "ignored"),
            ("product.created", "ignored"),
        ]
    );
    // The invoice alone says enough to grant what it paid for.
    program.set_time(Clock::system().now());
    let of = async |account: &str| {
        program.read(&format!("/v1/accounts/{account}")).await["balance"]["available"].clone()
    };
    assert_eq!((of("acme").await, of("broke").await), (json!(550), json!(50)));
    program.assert_clean().await;
}
