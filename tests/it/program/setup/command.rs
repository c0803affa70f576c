//! Does somebody get from a catalog to a sale with the two commands, and what they print?

use std::{
    collections::BTreeMap,
    net::TcpListener,
    process::{Command, Output},
    time::{Duration, Instant},
};

use counterfoil::{
    clock::Clock,
    sandbox::{Sandbox, SandboxOptions},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    database::TestDatabase,
    program::{self, Served},
};

const PATIENCE: Duration = Duration::from_secs(20);
const KEY: &str = "sk_test_first_time";

async fn sandbox() -> Sandbox {
    let (clock, signing_clock) = (Clock::system(), Clock::system());
    let listen = "127.0.0.1:0".parse().unwrap();
    Sandbox::start(SandboxOptions { listen, webhook: None, clock, signing_clock }).await.unwrap()
}

/// Runs a command as somebody who has put this into the environment.
async fn run(arguments: &[&str], environment: &BTreeMap<String, String>) -> Output {
    let mut command: Command = program::command(arguments);
    command.envs(environment).env("HOME", "/tmp");
    tokio::task::spawn_blocking(move || program::run(&mut command)).await.unwrap()
}

fn environment(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let set = [("STRIPE_SECRET_KEY", KEY), ("STRIPE_API_URL", &sandbox.url())];
    set.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// What a shell makes of the lines of a `.env` file.
fn read_lines(output: &Output) -> BTreeMap<String, String> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let set = lines.map(|line| line.split_once('=').unwrap_or_else(|| panic!("no setting: {line}")));
    set.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[tokio::test]
async fn a_dry_run_shows_everything_and_changes_nothing() {
    let sandbox = sandbox().await;
    let arguments = ["--json", "stripe", "setup", "--dry-run", "--url", "https://ledger.example"];
    let output = run(&arguments, &environment(&sandbox)).await;
    assert_eq!(program::code(&output), 0, "{}", program::stderr(&output));
    let shown = program::json(&output);
    assert_eq!((&shown["dry_run"], &shown["mode"]), (&true.into(), &"test".into()));
    let steps = shown["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 17);
    assert_eq!(steps[16]["name"], "https://ledger.example/v1/webhooks/stripe");
    let url = format!("{}/v1/products", sandbox.url());
    let listed = reqwest::Client::new().get(url).bearer_auth(KEY).send().await.unwrap();
    assert_eq!(listed.json::<Value>().await.unwrap()["data"], json!([]));
}

#[tokio::test]
async fn real_money_is_asked_for_by_the_key_and_by_the_flag() {
    let sandbox = sandbox().await;
    let output = run(&["stripe", "setup", "--live"], &environment(&sandbox)).await;
    assert_eq!(program::code(&output), 2);
    assert!(program::stderr(&output).contains("--live needs a live key"), "{}", program::stderr(&output));
    let live = BTreeMap::from([("STRIPE_SECRET_KEY".to_owned(), "sk_live_abc".to_owned())]);
    for command in ["setup", "doctor"] {
        let output = run(&["stripe", command], &live).await;
        assert_eq!(program::code(&output), 2);
        assert!(program::stderr(&output).contains("say --live"), "{}", program::stderr(&output));
    }
    let output = run(&["stripe", "setup", "--live", "--url", "http://ledger.example"], &live).await;
    assert_eq!(program::code(&output), 2);
    let output = run(&["stripe", "doctor"], &BTreeMap::new()).await;
    assert!(
        program::stderr(&output).contains("STRIPE_SECRET_KEY is not set"),
        "{}",
        program::stderr(&output)
    );
}

#[tokio::test]
async fn the_exit_code_says_whether_stripe_refused_or_did_not_answer() {
    let (sandbox, client) = (sandbox().await, reqwest::Client::new());
    for (faults, code, said) in [
        (json!([{ "status": 400 }]), 1, "Stripe refused it: api_error"),
        (json!([{ "status": 401 }]), 1, "see `stripe doctor`"),
        (json!([{ "status": 500, "times": 3 }]), 3, "Stripe does not accept requests now"),
        (json!([{ "times": 4 }, { "cut": true, "times": 3 }]), 3, "nothing is done twice"),
    ] {
        let url = format!("{}/_sandbox/faults", sandbox.url());
        client.post(url).json(&json!({ "api": faults })).send().await.unwrap();
        let output = run(&["--json", "stripe", "setup"], &environment(&sandbox)).await;
        let stderr = program::stderr(&output);
        assert_eq!(program::code(&output), code, "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
}

#[tokio::test]
async fn what_is_printed_sells() {
    let (sandbox, database) = (sandbox().await, TestDatabase::create().await);
    let mut environment = environment(&sandbox);
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let url = format!("http://{address}");
    let output = run(&["stripe", "setup", "--url", &url], &environment).await;
    assert_eq!(program::code(&output), 0, "{}", program::stderr(&output));
    let printed = read_lines(&output);
    assert!(!program::stderr(&output).contains(&printed["STRIPE_WEBHOOK_SECRET"]));
    environment.extend(printed.clone());

    let again = run(&["stripe", "setup", "--url", &url], &environment).await;
    assert!(program::stderr(&again).contains("nothing was changed"), "{}", program::stderr(&again));
    let mut rest = printed.clone();
    rest.remove("STRIPE_WEBHOOK_SECRET");
    assert_eq!(read_lines(&again), rest);

    let set = environment.clone();
    let database_url = database.url();
    let served = tokio::task::spawn_blocking(move || {
        Served::start_at(&address, |command| {
            command.env("DATABASE_URL", database_url).envs(set);
        })
    });
    let served = served.await.unwrap();
    buy_the_basic_plan(&served, &sandbox).await;
    let portal = open_the_portal(&served, &sandbox).await;
    assert_eq!(portal["data"]["object"]["configuration"], printed["STRIPE_PORTAL_CONFIGURATION"]);

    let doctor = run(&["--json", "stripe", "doctor", "--url", &url], &environment).await;
    let shown = program::json(&doctor);
    assert_eq!(
        (program::code(&doctor), &shown["errors"], &shown["warnings"]),
        (0, &0.into(), &0.into()),
        "{shown:#}"
    );
    environment.insert("STRIPE_PRICE_TEAM".to_owned(), "price_lost".to_owned());
    let doctor = run(&["stripe", "doctor", "--url", &url], &environment).await;
    let text = String::from_utf8(doctor.stdout.clone()).unwrap();
    assert_eq!(program::code(&doctor), 1, "{text}");
    assert!(text.contains("price_lost (STRIPE_PRICE_TEAM) is not at Stripe"), "{text}");
}

async fn ask(served: &Served, method: Method, path: &str, body: &Value) -> Value {
    let request = reqwest::Client::new().request(method.clone(), served.url(path));
    let request = request.bearer_auth(served.admin_key()).header("idempotency-key", path);
    let request = if method == Method::GET { request } else { request.json(body) };
    let response = request.send().await.unwrap();
    let (status, body) = (response.status(), response.json::<Value>().await.unwrap());
    assert!(status.is_success(), "{path}: {body}");
    body
}

async fn buy_the_basic_plan(served: &Served, sandbox: &Sandbox) {
    ask(served, Method::PUT, "/v1/accounts/acme", &json!({})).await;
    let wish = json!({
        "plan": "basic", "interval": "month", "success_url": "https://shop.example/thanks",
        "cancel_url": "https://shop.example/pricing",
    });
    let session = ask(served, Method::POST, "/v1/accounts/acme/checkout-sessions", &wish).await;
    let session = session["checkout_session_id"].as_str().unwrap();
    let url = format!("{}/_sandbox/checkout/{session}/pay", sandbox.url());
    let paid =
        reqwest::Client::new().post(url).json(&json!({ "card": "4242424242424242" })).send().await.unwrap();
    assert!(paid.status().is_success());
    let begin = Instant::now();
    loop {
        let balance = ask(served, Method::GET, "/v1/accounts/acme/balance", &Value::Null).await;
        if balance["available"] == 550 {
            break;
        }
        assert!(begin.elapsed() < PATIENCE, "{balance}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let subscription = ask(served, Method::GET, "/v1/accounts/acme/subscription", &Value::Null).await;
    assert_eq!(subscription["plan"], "basic");
}

/// What Stripe tells of the portal's page that was opened.
async fn open_the_portal(served: &Served, sandbox: &Sandbox) -> Value {
    let wish = json!({ "return_url": "https://shop.example/account" });
    ask(served, Method::POST, "/v1/accounts/acme/portal-sessions", &wish).await;
    let url = format!("{}/v1/events?type=billing_portal.session.created", sandbox.url());
    let events = reqwest::Client::new().get(url).bearer_auth(KEY).send().await.unwrap();
    events.json::<Value>().await.unwrap()["data"][0].take()
}
