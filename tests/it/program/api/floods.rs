//! Strangers with thousands of connections, and somebody with a key who works beside them.
//!
//! `FLOOD=10000 cargo test --release --test it -- api::floods --nocapture` is the long form; the usual one has 300
//! connections.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    runtime::Builder,
    task::JoinSet,
    time::timeout,
};

use counterfoil::clock::Clock;

use crate::support::{database::TestDatabase, http::Server, program::Served};

/// How much memory the program may take, whoever comes.
const RESIDENT_BYTES_MAX: u64 = 256 << 20;
/// How many calls are made beside a flood.
const CALLS: usize = 300;
/// Each so manieth call has a connection of its own.
const NEW_CONNECTION_EACH: usize = 5;
/// Over how long a flood begins, and for how long a stranger that was sent away stays away: all at once, they would
/// only fill the system's own queue of connections.
const RISING: Duration = Duration::from_secs(1);

/// How long after a part of a request the next one is sent, unless there is an answer.
const BETWEEN_PARTS: Duration = Duration::from_secs(1);
/// How long after an answer the next request is sent.
const BETWEEN_TRIES: Duration = Duration::from_millis(100);
/// How long a call may take, as 99 of 100 do: of a program that is not optimised, on a machine where other tests run.
const P99_MAX: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1_000 } else { 50 });

/// What a stranger does with a connection.
#[derive(Clone, Copy, Debug)]
enum Stranger {
    SaysNothing,
    EndsNoHead,
    EndsNoBody,
    EndsNoEvent,
    ReadsNothing,
    TriesKeys,
}

const STRANGERS: [Stranger; 6] = [
    Stranger::SaysNothing,
    Stranger::EndsNoHead,
    Stranger::EndsNoBody,
    Stranger::EndsNoEvent,
    Stranger::ReadsNothing,
    Stranger::TriesKeys,
];

impl Stranger {
    /// What is sent at first.
    fn opening(self) -> Vec<u8> {
        let signed = format!("stripe-signature: t={},v1={}", Clock::system().now().seconds(), "0".repeat(64));
        let head = |line: &str, more: &str| format!("{line} HTTP/1.1\r\nhost: here\r\n{more}\r\n");
        match self {
            Self::SaysNothing => Vec::new(),
            Self::EndsNoHead => b"GET /healthz HTTP/1.1\r\nx-slow: ".to_vec(),
            Self::EndsNoBody => {
                let json = "authorization: Bearer cf_test_nobody\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n";
                let head = head("POST /v1/accounts/acme/deductions", json);
                [head.as_bytes(), &[b' '; 30_000]].concat()
            }
            Self::EndsNoEvent => {
                let head =
                    head("POST /v1/webhooks/stripe", &format!("{signed}\r\ncontent-length: 900000\r\n"));
                [head.as_bytes(), &[b' '; 60_000]].concat()
            }
            Self::ReadsNothing => head("GET /openapi.json", "").repeat(3).into_bytes(),
            Self::TriesKeys => {
                head("GET /v1/accounts/acme/balance", "authorization: Bearer cf_test_nobody\r\n").into_bytes()
            }
        }
    }

    /// What is sent again and again.
    fn more(self) -> Vec<u8> {
        match self {
            Self::SaysNothing | Self::ReadsNothing => Vec::new(),
            Self::EndsNoHead | Self::EndsNoBody | Self::EndsNoEvent => b"a".to_vec(),
            Self::TriesKeys => self.opening(),
        }
    }

    async fn keep_on(self, connection: &mut TcpStream) -> std::io::Result<()> {
        connection.write_all(&self.opening()).await?;
        loop {
            if matches!(self, Self::ReadsNothing) {
                tokio::time::sleep(BETWEEN_PARTS).await;
                continue;
            }
            let mut answer = [0; 4_096];
            // Whoever is sent away comes back.
            if timeout(BETWEEN_PARTS, connection.read(&mut answer))
                .await
                .is_ok_and(|read| !matches!(read, Ok(1..)))
            {
                return Ok(());
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
            connection.write_all(&self.more()).await?;
        }
    }
}

/// Comes back as often as it is sent away.
async fn be(stranger: Stranger, from: IpAddr, to: SocketAddr, after: Duration) {
    tokio::time::sleep(after).await;
    loop {
        let socket = TcpSocket::new_v4().unwrap();
        let connected = match socket.bind((from, 0).into()) {
            Ok(()) => socket.connect(to).await,
            Err(error) => Err(error),
        };
        if let Ok(mut connection) = connected {
            let _ended = stranger.keep_on(&mut connection).await;
        }
        tokio::time::sleep(RISING).await;
    }
}

struct Worked {
    p99: Duration,
    refused: Vec<String>,
}

/// Deducts one by one, and now and then over a new connection.
async fn work(server: &Served, key: &str, name: &str) -> Worked {
    let client = || reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
    let (mut used, mut took, mut refused) = (client(), Vec::new(), Vec::new());
    for number in 0..CALLS {
        if number % NEW_CONNECTION_EACH == 0 {
            used = client();
        }
        let call = used.post(server.url("/v1/accounts/acme/deductions")).bearer_auth(key);
        let call = call.header("idempotency-key", format!("{name}-{number}")).json(&json!({ "amount": 1 }));
        let begun = Instant::now();
        match call.send().await {
            Ok(answer) if answer.status() == StatusCode::CREATED => {}
            Ok(answer) => refused.push(format!("{number}: {}", answer.status())),
            Err(error) => refused.push(format!("{number}: {error:?}")),
        }
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    Worked { p99: took[took.len() * 99 / 100], refused }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_works_is_not_kept_from_it_by_strangers() {
    let count: usize = std::env::var("FLOOD").map_or(300, |count| count.parse().unwrap());
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let database = TestDatabase::create().await;
    let server = Served::start(|command| {
        command.env("DATABASE_URL", database.url());
    });
    let key = server.admin_key().to_owned();
    let client = reqwest::Client::new();
    let opened = client.put(server.url("/v1/accounts/acme")).bearer_auth(&key).json(&json!({})).send().await;
    assert!(opened.unwrap().status().is_success());
    let granted = client.post(server.url("/v1/accounts/acme/grants")).bearer_auth(&key);
    let granted = granted
        .header("idempotency-key", "g")
        .json(&json!({ "amount": 1_000_000, "source": "bonus", "reason": "test" }));
    let granted = granted.send().await.unwrap();
    assert!(granted.status().is_success(), "{}", granted.text().await.unwrap());
    let quiet = work(&server, &key, "quiet").await;
    println!("alone: p99 {:?}, {} MB", quiet.p99, server.resident_bytes() >> 20);
    // The caller does not wait for strangers here, in the same process.
    let elsewhere = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for stranger in STRANGERS {
        // From one address, which is the caller's own, and from several.
        for addresses in [1, 8] {
            let mut strangers = JoinSet::new();
            for number in 0..count {
                let from = Ipv4Addr::new(127, 0, 0, u8::try_from(1 + number % addresses).unwrap());
                let after = RISING.mul_f64(number as f64 / count as f64);
                strangers.spawn_on(be(stranger, from.into(), server.address, after), elsewhere.handle());
            }
            tokio::time::sleep(RISING).await;
            let worked = work(&server, &key, &format!("{stranger:?}{addresses}")).await;
            let resident = server.resident_bytes();
            println!("{stranger:?} × {count} from {addresses}: p99 {:?}, {} MB", worked.p99, resident >> 20);
            assert_eq!(worked.refused, Vec::<String>::new(), "{stranger:?} from {addresses}");
            assert!(worked.p99 < P99_MAX, "{stranger:?} from {addresses}: {:?}", worked.p99);
            assert!(resident < RESIDENT_BYTES_MAX, "{stranger:?}: {resident} bytes");
            strangers.shutdown().await;
        }
    }
    elsewhere.shutdown_background();
}

#[tokio::test]
async fn who_says_nothing_is_sent_away() {
    let server = Server::start().await;
    for said in [&b""[..], b"GET /healthz HTTP/1.1\r\nx-slow: "] {
        let mut connection = TcpStream::connect(server.address.trim_start_matches("http://")).await.unwrap();
        connection.write_all(said).await.unwrap();
        let begun = Instant::now();
        let mut answer = Vec::new();
        timeout(Duration::from_secs(20), connection.read_to_end(&mut answer)).await.unwrap().unwrap();
        assert!(begun.elapsed() > Duration::from_secs(4), "a slow caller has some time");
    }
}

/// Nothing is received of what its head says enough about.
#[tokio::test]
async fn a_webhook_that_cannot_be_signed_is_refused_before_its_body_comes() {
    let server = Server::start().await;
    let old = format!("stripe-signature: t=1,v1={}\r\n", "0".repeat(64));
    let unsigned = format!("stripe-signature: t={}\r\n", server.test.clock.now().seconds());
    for signature in ["", "stripe-signature: nonsense\r\n", &old, &unsigned] {
        let mut connection = TcpStream::connect(server.address.trim_start_matches("http://")).await.unwrap();
        let head = format!(
            "POST /v1/webhooks/stripe HTTP/1.1\r\nhost: here\r\n{signature}content-length: 100000\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 64];
        let read = timeout(Duration::from_secs(5), connection.read(&mut answer)).await.unwrap().unwrap();
        let answer = String::from_utf8_lossy(&answer[..read]);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{signature}: {answer}");
    }
}
