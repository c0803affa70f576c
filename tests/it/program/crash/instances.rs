//! Three instances on one database with eight shards: is nothing overdrawn, lost or doubled?
//! Whoever is asked, and while one of them is killed again and again.
//!
//! `COUNTERFOIL_INSTANCES_SECONDS` says for how long they are used in each way.

mod parts;

use std::{
    collections::BTreeMap,
    net::TcpListener,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use counterfoil::{domain::ids::AccountId, journal::shards::Shards};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::ConnectOptions;
use tokio::task::spawn_blocking;

use super::{
    books::{Books, Holding},
    kills::assert_stored_once,
    slow_link::SlowLink,
    traffic::{Target, Traffic},
};
use crate::support::{
    Scratch, catalogs,
    database::TestDatabase,
    dice::{Dice, setting},
    program::Served,
    shards,
};

const SECONDS: &str = "COUNTERFOIL_INSTANCES_SECONDS";
const SECONDS_DEFAULT: u64 = 4;
const SHARDS: u16 = 8;
const INSTANCES: usize = 3;
const CALLERS: usize = 48;
const ACCOUNTS: usize = 40;
const KEY: &str = "cf_test_of_three_who_are_as_good_as_one";
const PATIENCE: Duration = Duration::from_secs(60);
/// How many answers are asked for again at the end.
const ASKED_AGAIN: usize = 500;

/// A database, and the addresses of the instances that work on it.
struct Stage {
    database: TestDatabase,
    _scratch: Scratch,
    catalog: PathBuf,
    addresses: Vec<String>,
}

impl Stage {
    async fn create() -> Self {
        let scratch = Scratch::create();
        // The callers generate more than five times a day.
        let catalog = scratch.path().join("catalog.toml");
        std::fs::write(&catalog, catalogs::MUSIC.replace("max = 5 }", "max = 1_000_000 }")).expect("ours");
        // Kept open until all are known, so that they differ.
        let free: Vec<TcpListener> =
            (0..INSTANCES).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
        let addresses = free.iter().map(|free| free.local_addr().expect("bound").to_string()).collect();
        Self { database: TestDatabase::of_shards(SHARDS).await, _scratch: scratch, catalog, addresses }
    }

    async fn serve(&self, number: usize) -> Served {
        self.serve_with(number, self.database.url()).await
    }

    /// The same, with another way to the database.
    async fn serve_with(&self, number: usize, url: String) -> Served {
        let (catalog, address) = (self.catalog.clone(), self.addresses[number].clone());
        let start = move || {
            let peer = format!("http://{address}");
            Served::start_at(&address, |command| {
                command
                    .env("DATABASE_URL", url)
                    .env("COUNTERFOIL_CATALOG", catalog)
                    .env("COUNTERFOIL_BOOTSTRAP_KEY", KEY)
                    .env("COUNTERFOIL_PEER_URL", peer)
                    .env("RUST_LOG", "error");
            })
        };
        spawn_blocking(start).await.expect("it serves")
    }

    fn urls(&self) -> Vec<String> {
        self.addresses.iter().map(|address| format!("http://{address}")).collect()
    }
}

async fn get(url: &str) -> reqwest::Response {
    reqwest::Client::new().get(url).bearer_auth(KEY).send().await.expect("an answer")
}

/// The address of the writer of each part of the accounts, as an instance says, once it knows of so many writers.
async fn writers(at: &str, several: usize) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let answer: Value = get(&format!("{at}/v1/shards")).await.json().await.expect("JSON");
        let shards = answer["shards"].as_array().expect("shards");
        assert_eq!(shards.len(), usize::from(SHARDS));
        let writers: Vec<String> =
            shards.iter().map(|shard| shard["writer"].as_str().unwrap_or(at).to_owned()).collect();
        let mut known = writers.clone();
        known.sort();
        known.dedup();
        if known.len() >= several {
            return writers;
        }
        assert!(begun.elapsed() < PATIENCE, "only {known:?} are known");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn passed_on(at: &str) -> f64 {
    let text = get(&format!("{at}/metrics")).await.text().await.expect("text");
    let lines = text.lines().filter(|line| line.starts_with("counterfoil_passed_on_total"));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// Lets callers work for a while. Returns how many answers a second they got.
async fn use_for(
    time: Duration,
    target: &Target,
    accounts: &[String],
    books: &Arc<Books>,
    dice: &mut Dice,
    meanwhile: impl Future<Output = ()>,
) -> usize {
    let before = *books.answers().borrow();
    let traffic = Traffic::begin(CALLERS, target, accounts, books, dice);
    tokio::join!(tokio::time::sleep(time), meanwhile);
    let answers = *books.answers().borrow() - before;
    traffic.end().await;
    answers * 1_000 / usize::try_from(time.as_millis()).expect("short")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_instances_are_as_good_as_one_whoever_is_asked_and_while_they_are_killed() {
    let time = Duration::from_secs(setting(SECONDS).unwrap_or(SECONDS_DEFAULT));
    let mut dice = Dice::seeded("instances");
    let stage = Stage::create().await;
    let accounts: Vec<String> = (0..ACCOUNTS).map(|number| format!("account-{number}")).collect();
    let books = Arc::new(Books::default());
    let mut served = vec![stage.serve(0).await];
    let urls = stage.urls();
    let alone = Target::new(vec![urls[0].clone()], KEY);
    let opened = alone.open(&accounts).await;
    let by_one = use_for(time, &alone, &accounts, &books, &mut dice, async {}).await;

    for number in 1..INSTANCES {
        served.push(stage.serve(number).await);
    }
    let mut parts = Vec::new();
    for url in &urls {
        parts.push(writers(url, INSTANCES).await);
    }
    assert!(parts.iter().all(|others| *others == parts[0]), "they agree: {parts:?}");
    let all = Target::new(urls.clone(), KEY);
    let of_writers: BTreeMap<String, String> = {
        let known: Shards = shards::shards(&stage.database.pool()).await;
        let slot = |account: &str| known.slot_of(&AccountId::parse(account).expect("an id"));
        accounts.iter().map(|account| (account.clone(), parts[0][slot(account)].clone())).collect()
    };
    let to_writers = all.clone().sending_to(of_writers);
    let by_writer = use_for(time, &to_writers, &accounts, &books, &mut dice, async {}).await;
    let at_random = use_for(time, &all, &accounts, &books, &mut dice, async {}).await;
    let mut passed = 0.0;
    for url in &urls {
        passed += passed_on(url).await;
    }
    assert!(passed > 100.0, "only {passed} were passed on");
    assert_eq!(books.take_unanswered().len(), 0, "everything is answered where nothing breaks");

    let stubborn = all.clone().going_on();
    let mut victims = dice.split();
    let kills = async {
        let begun = Instant::now();
        while begun.elapsed() < time {
            tokio::time::sleep((time / 12).max(Duration::from_millis(1_500))).await;
            let number = victims.below(INSTANCES);
            let victim = served.remove(number);
            spawn_blocking(move || victim.kill()).await.expect("it ends");
            served.insert(number, stage.serve(number).await);
        }
    };
    let while_killed = use_for(time, &stubborn, &accounts, &books, &mut dice, kills).await;
    let unanswered = all.resend(&books, &mut dice).await;
    eprintln!(
        "answers a second: one instance {by_one}, three by writer {by_writer}, three at random {at_random} \
         ({passed} passed on), while they are killed {while_killed} ({unanswered} asked again); {}",
        books.summary()
    );
    assert_whole(&stage, &all, &books, &accounts, opened, &mut dice).await;
}

/// What each instance says is what was answered, and what is stored.
async fn assert_whole(
    stage: &Stage,
    all: &Target,
    books: &Books,
    accounts: &[String],
    opened: Holding,
    dice: &mut Dice,
) {
    for (account, expected) in books.holdings(accounts, opened) {
        for address in all.addresses() {
            let told = all.account(address, &account).await;
            let amount = |name: &str| told["balance"][name].as_i64().expect("a number");
            let holding = Holding { available: amount("available"), held: amount("held") };
            assert_eq!((holding, amount("debt")), (expected, 0), "{account}");
        }
    }
    assert_stored_once(&stage.database.pool(), books).await;
    let mut done = books.done_since(0);
    let asked = (0..ASKED_AGAIN).filter_map(|_| dice.draw(&mut done)).collect();
    all.expect_same(asked, dice).await;
    let audit = get(&format!("{}/v1/audit/verify", all.addresses()[1])).await;
    let verified: Value = audit.json().await.expect("JSON");
    assert_eq!((&verified["clean"], &verified["findings"]), (&json!(true), &json!([])), "{verified}");
}

/// An account whose writer is at an address.
async fn account_of(writer: &str, writers: &[String], stage: &Stage) -> String {
    let known = shards::shards(&stage.database.pool()).await;
    (0..)
        .map(|number| format!("account-{number}"))
        .find(|id| writers[known.slot_of(&AccountId::parse(id).expect("an id"))] == writer)
        .expect("it writes some")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_slow_instance_has_taken_is_neither_done_later_nor_refused_meanwhile() {
    let stage = Stage::create().await;
    let link = SlowLink::before(&stage.database.connect_options());
    let slow_url = link.options.to_url_lossy().to_string();
    let _served = [stage.serve(0).await, stage.serve_with(1, slow_url).await];
    let urls = stage.urls();
    let writers = writers(&urls[0], 2).await;
    let account = account_of(&urls[1], &writers, &stage).await;
    let client = reqwest::Client::new();
    let send = async |method: Method, path: &str, key: &str, body: Value| {
        let call = client.request(method, format!("{}/v1/accounts/{account}{path}", urls[0]));
        let answer = call.bearer_auth(KEY).header("idempotency-key", key).json(&body).send().await;
        let answer = answer.expect("an answer");
        (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
    };
    send(Method::PUT, "", "open", json!({})).await;
    let (status, hold) = send(Method::POST, "/holds", "hold", json!({ "amount": 50 })).await;
    assert_eq!(status, 201, "{hold}");
    let hold = hold["hold_id"].as_str().expect("an id").to_owned();

    link.held.send_replace(true);
    let (status, refused) = send(Method::POST, "/deductions", "work", json!({ "amount": 30 })).await;
    assert_eq!(
        (status, &refused["code"]),
        (503, &json!("outcome_unknown")),
        "it may still be done: {refused}"
    );
    let (status, answer) = send(Method::PUT, "", "none", json!({ "metadata": { "v": "1" } })).await;
    assert!([201, 200, 503].contains(&status), "{answer}");
    let (status, answer) = send(Method::POST, &format!("/holds/{hold}/release"), "release", json!({})).await;
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = send(Method::PUT, "", "none", json!({ "metadata": { "v": "2" } })).await;
    let is_set = [200, 201].contains(&status);
    assert!(is_set || status == 503, "{answer}");
    link.held.send_replace(false);
    // Long enough for whatever it had taken.
    tokio::time::sleep(Duration::from_secs(3)).await;
    for url in &urls[..2] {
        let now: Value = get(&format!("{url}/v1/accounts/{account}")).await.json().await.expect("JSON");
        assert_eq!(now["balance"]["available"], 50, "{now}");
        if is_set {
            assert_eq!(now["metadata"]["v"], "2", "what was acknowledged last holds: {now}");
        }
    }
    let (status, done) = send(Method::POST, "/deductions", "work", json!({ "amount": 30 })).await;
    assert_eq!((status, &done["balance"]["available"]), (201, &json!(20)), "{done}");
}

/// Something else listens where an instance says that it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_instance_of_the_ledger_is_believed() {
    let stage = Stage::create().await;
    let served = stage.serve(0).await;
    let other = TcpListener::bind(&stage.addresses[1]).expect("a free port");
    other.set_nonblocking(true).expect("it can wait");
    let other = tokio::net::TcpListener::from_std(other).expect("it listens");
    let app =
        axum::Router::new().fallback(async || ([("set-cookie", "a=b")], r#"[{"status":201,"body":1}]"#));
    tokio::spawn(async move { axum::serve(other, app).await });
    let urls = stage.urls();
    let there = "insert into ledger.instances values (gen_random_uuid(), $1, now() + interval '1 hour')";
    sqlx::query(there).bind(&urls[1]).execute(&stage.database.pool()).await.expect("it says so");
    let writers = writers(&urls[0], 2).await;
    let account = account_of(&urls[1], &writers, &stage).await;
    let target = Target::new(urls[..1].to_vec(), KEY);
    let client = reqwest::Client::new();
    let opening = client.put(format!("{}/v1/accounts/{account}", urls[0])).bearer_auth(KEY).send().await;
    let opening = opening.expect("an answer");
    assert!(!opening.headers().contains_key("set-cookie"));
    // It has no key, and whoever answered may have passed it on.
    assert_eq!(opening.status(), 503);
    target.open(std::slice::from_ref(&account)).await;
    for batch in [false, true] {
        let key = format!("k{batch}");
        let call = if batch {
            let items =
                json!([{ "account": account, "command": "deduct", "amount": 1, "idempotency_key": key }]);
            client.post(format!("{}/v1/commands", urls[0])).json(&items)
        } else {
            let call = client.post(format!("{}/v1/accounts/{account}/deductions", urls[0]));
            call.header("idempotency-key", key).json(&json!({ "amount": 1 }))
        };
        let answer = call.bearer_auth(KEY).send().await.expect("an answer");
        assert!(!answer.headers().contains_key("set-cookie"));
        let answer: Value = answer.json().await.expect("JSON");
        let done = if batch { &answer[0]["body"] } else { &answer };
        assert_eq!(done["amount"], 1, "{answer}");
    }
    drop(served);
}

/// A process that is stopped still accepts connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_is_frozen_holds_nobody_up_for_long() {
    let stage = Stage::create().await;
    let served = [stage.serve(0).await, stage.serve(1).await];
    let urls = stage.urls();
    let target = Target::new(urls[..1].to_vec(), KEY);
    let writers = writers(&urls[0], 2).await;
    let known = shards::shards(&stage.database.pool()).await;
    let of_frozen = (0..)
        .map(|number| format!("account-{number}"))
        .find(|id| writers[known.slot_of(&AccountId::parse(id).expect("an id"))] == urls[1])
        .expect("it writes some");
    target.open(std::slice::from_ref(&of_frozen)).await;
    served[1].signal(libc::SIGSTOP);
    let spend = async |key: &str| {
        let begun = Instant::now();
        let call = reqwest::Client::new().post(format!("{}/v1/accounts/{of_frozen}/deductions", urls[0]));
        let call = call.bearer_auth(KEY).header("idempotency-key", key).json(&json!({ "amount": 1 }));
        let answer = call.send().await.expect("an answer");
        assert_eq!(answer.status(), 201);
        begun.elapsed()
    };
    let first = spend("one").await;
    assert!(first < Duration::from_secs(4), "{first:?}");
    let second = spend("two").await;
    assert!(second < first.max(Duration::from_millis(900)), "it is not asked again at once: {second:?}");
    served[1].signal(libc::SIGCONT);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    // It had the first command, too.
    let told = target.account(&urls[0], &of_frozen).await;
    assert_eq!(told["balance"]["available"], 48, "{told}");
}
