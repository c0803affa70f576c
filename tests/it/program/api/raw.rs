//! What comes of bytes that no client would send? No answer of 500, no connection that hangs, nothing that changes; and
//! whoever works beside them is served.
//!
//! `FUZZ_SECONDS=600 cargo test --test it -- api::raw --nocapture` is the long form.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};

use super::bytes::{KINDS, Kind, Maker};
use crate::support::{
    database::TestDatabase,
    dice::{Dice, setting},
    program::Served,
};

const SECONDS: &str = "FUZZ_SECONDS";
const SECONDS_USUAL: u64 = 30;
/// How many connections there are at once.
const AT_ONCE: usize = 64;
/// How long an answer, or the end of a connection, may take: longer than a body may, which is waited for the longest.
const BOUND: Duration = Duration::from_secs(40);
/// How long whoever works may wait.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);
const RESIDENT_BYTES_MAX: u64 = 256 << 20;

/// What a connection came to.
#[derive(Debug)]
struct Came {
    kind: Kind,
    sent: Vec<u8>,
    /// `None`: neither an answer nor an end.
    answer: Option<Vec<u8>>,
}

/// Sends it in some pieces, and stays for the answer, or says that nothing more comes.
async fn send(to: SocketAddr, kind: Kind, sent: Vec<u8>, mut dice: Dice) -> Came {
    let mut connection = TcpStream::connect(to).await.expect("it listens");
    let pieces = 1 + dice.below(3);
    for piece in sent.chunks(sent.len().div_ceil(pieces).max(1)) {
        // Whoever was answered already is not listened to any more.
        if connection.write_all(piece).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let mut answer = Vec::new();
    let stays = dice.below(16) == 0;
    let read = async {
        if stays {
            let mut first = [0; 1_024];
            let count = connection.read(&mut first).await.unwrap_or(0);
            answer.extend_from_slice(&first[..count]);
        }
        // What was closed meanwhile cannot be closed again.
        let _closed = connection.shutdown().await;
        let _reset = connection.read_to_end(&mut answer).await;
    };
    let ended = timeout(BOUND, read).await.is_ok();
    Came { kind, sent, answer: ended.then_some(answer) }
}

/// The statuses of the answers, one after the other.
fn statuses(answer: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(answer);
    let starts = text.match_indices("HTTP/1.");
    starts.filter_map(|(at, _)| Some(text.get(at + 9..at + 12)?.to_owned())).collect()
}

fn check(came: &Came, met: &mut BTreeMap<(Kind, String), u64>) {
    let sent = String::from_utf8_lossy(&came.sent[..came.sent.len().min(2_000)]).into_owned();
    let kind = came.kind;
    let answer = came.answer.as_deref();
    let answer = answer.unwrap_or_else(|| panic!("{kind:?} was neither answered nor closed: {sent:?}"));
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "{kind:?}: {sent:?}: {answer:?}");
    let statuses = statuses(answer);
    for status in &statuses {
        assert!(
            !["500", "501"].contains(&status.as_str()),
            "{kind:?}: {sent:?}: {}",
            String::from_utf8_lossy(answer)
        );
    }
    let first = statuses.first().map_or("closed", String::as_str);
    *met.entry((kind, first.to_owned())).or_default() += 1;
}

/// Asks again and again, and tells how often and how long the longest answer took.
async fn work(client: reqwest::Client, url: String, key: String) -> (u64, Duration) {
    let (mut served, mut longest) = (0, Duration::ZERO);
    loop {
        let begun = Instant::now();
        let answer = client.get(&url).bearer_auth(&key).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        longest = longest.max(begun.elapsed());
        served += 1;
        assert!(longest < PATIENCE, "{longest:?}");
        if STOPPED.load(std::sync::atomic::Ordering::Relaxed) {
            return (served, longest);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

static STOPPED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Everything that a request could have written.
async fn written(database: &TestDatabase) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in ["events", "stripe_inbox", "api_keys", "stripe_calls"] {
        let query = format!("select count(*) from ledger.{table}");
        counts.push(sqlx::query_scalar(&query).fetch_one(&database.pool()).await.expect("a count"));
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_no_client_sends_break_nothing() {
    let lasts = Duration::from_secs(setting(SECONDS).unwrap_or(SECONDS_USUAL));
    let mut dice = Dice::seeded("raw bytes");
    let database = TestDatabase::create().await;
    let server = Served::on(&database.url());
    let (admin, client) =
        (server.admin_key().to_owned(), reqwest::Client::builder().timeout(PATIENCE).build().unwrap());
    let opened = client.put(server.url("/v1/accounts/acme")).bearer_auth(&admin).send().await.unwrap();
    assert_eq!(opened.status(), StatusCode::CREATED);
    let scopes = ["read", "operate", "billing", "audit"];
    let key = json!({ "name": "raw", "scopes": scopes, "accounts": ["ghost"], "requests_per_minute": 0 });
    let key = client.post(server.url("/v1/api-keys")).bearer_auth(&admin).json(&key).send().await.unwrap();
    let key = key.json::<Value>().await.unwrap()["secret"].as_str().unwrap().to_owned();
    let before = written(&database).await;

    let working = tokio::spawn(work(client.clone(), server.url("/v1/accounts/acme/balance"), admin.clone()));
    let mut maker = Maker { dice: dice.split(), key };
    let (mut connections, mut met, begun) = (JoinSet::new(), BTreeMap::new(), Instant::now());
    while begun.elapsed() < lasts {
        let kind = KINDS[dice.below(KINDS.len())];
        connections.spawn(send(server.address, kind, maker.make(kind), dice.split()));
        if connections.len() >= AT_ONCE {
            check(&connections.join_next().await.unwrap().unwrap(), &mut met);
        }
    }
    while let Some(came) = connections.join_next().await {
        check(&came.unwrap(), &mut met);
    }
    STOPPED.store(true, std::sync::atomic::Ordering::Relaxed);
    let (served, longest) = working.await.unwrap();

    let total: u64 = met.values().sum();
    println!("{total} connections, {served} answers beside them, the slowest after {longest:?}: {met:?}");
    assert!(total > 100 && served > 10);
    assert_eq!(written(&database).await, before, "something was written");
    assert!(server.resident_bytes() < RESIDENT_BYTES_MAX, "{}", server.resident_bytes());
    let spent = client.post(server.url("/v1/accounts/acme/deductions")).bearer_auth(&admin);
    let spent = spent.header("idempotency-key", "after").json(&json!({ "amount": 1 })).send().await.unwrap();
    assert_eq!(spent.status(), StatusCode::CREATED);
    assert!(server.stop().success());
}
