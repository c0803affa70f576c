//! Who is a visitor, where a proxy stands between?

use std::sync::Arc;

use counterfoil::http::{Proxies, Settings};

use super::server::Server;
use crate::support::{database::TestDatabase, program::Served};

/// Two visits a minute, with these proxies.
async fn server(proxies: &str) -> Server {
    let proxies = Arc::new(Proxies::parse(proxies).unwrap());
    Server::start_with(Settings { visits_per_minute: 2, proxies, ..Settings::default() }).await
}

async fn visit(server: &Server, name: &'static str, value: &str) -> u16 {
    let visit = server.get("/v1/catalog").without_key().header(name, value);
    visit.send().await.status.as_u16()
}

#[tokio::test]
async fn each_visitor_behind_a_proxy_has_a_limit_of_its_own() {
    let server = server("127.0.0.0/8").await;
    for (name, value) in [
        ("x-forwarded-for", "203.0.113.1"),
        ("forwarded", "for=203.0.113.2"),
        // The proxy wrote the last one; what stands before it is the visitor's own word.
        ("x-forwarded-for", "203.0.113.1, 203.0.113.3"),
        ("forwarded", "for=\"[2001:db8::1]\";proto=https"),
        ("x-forwarded-for", "2001:db8:1::1"),
    ] {
        for expected in [200, 200, 429] {
            assert_eq!(visit(&server, name, value).await, expected, "{name}: {value}");
        }
    }
    // Of an IPv6 network somebody has all addresses.
    assert_eq!(visit(&server, "forwarded", "for=\"[2001:db8::2]\"").await, 429);
}

#[tokio::test]
async fn whoever_is_no_proxy_of_ours_cannot_be_somebody_else() {
    for proxies in ["", "10.0.0.0/8"] {
        let server = server(proxies).await;
        let visits =
            [("x-forwarded-for", "203.0.113.1"), ("forwarded", "for=203.0.113.2"), ("x-nothing", "")];
        for ((name, value), expected) in visits.into_iter().zip([200, 200, 429]) {
            assert_eq!(visit(&server, name, value).await, expected, "{name}: {value}");
        }
    }
}

/// What the program says while so many wrong keys come, from these addresses in turn.
async fn said_of_wrong_keys(tries: usize, visitors: &[&str]) -> String {
    let database = TestDatabase::create().await;
    let url = database.url();
    let start = move || {
        Served::start(|command| {
            command.env("DATABASE_URL", url).env("COUNTERFOIL_TRUSTED_PROXIES", "127.0.0.1");
        })
    };
    let served = tokio::task::spawn_blocking(start).await.unwrap();
    let client = reqwest::Client::new();
    let tries = (0..tries).zip(visitors.iter().cycle()).map(|(number, visitor)| {
        let call = client.get(served.url("/v1/accounts/acme/balance"));
        call.bearer_auth(format!("cf_test_{number}")).header("x-forwarded-for", *visitor).send()
    });
    for answer in futures::future::join_all(tries).await {
        assert_eq!(answer.unwrap().status().as_u16(), 401);
    }
    served.signal(libc::SIGTERM);
    tokio::task::spawn_blocking(move || served.wait_and_hear().1).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_keys_are_said_with_their_address_and_do_not_fill_the_log() {
    let few = said_of_wrong_keys(2, &["203.0.113.1", "203.0.113.2"]).await;
    let many = said_of_wrong_keys(400, &["203.0.113.1", "203.0.113.2"]).await;
    for said in [&few, &many] {
        let lines: Vec<&str> = said.lines().filter(|line| line.contains("a key was not accepted")).collect();
        assert_eq!(lines.len(), 2, "{said}");
        for visitor in ["203.0.113.1", "203.0.113.2"] {
            let address = format!("\"address\":\"{visitor}\"");
            assert!(lines.iter().any(|line| line.contains(&address)), "{said}");
        }
        assert!(!said.contains("cf_test_"), "{said}");
    }
    assert!(many.len() < few.len() + 500, "{} and {} bytes", few.len(), many.len());
}
