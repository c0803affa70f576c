//! Who is a visitor, where a proxy stands between?

use std::{net::IpAddr, sync::Arc};

use axum::http::{HeaderValue, Request};
use counterfoil::http::{HttpSettings, Proxies};
use proptest::prelude::*;

use crate::support::{database::TestDatabase, http::Server, program::Served};

/// Two visits a minute, with these proxies.
async fn server(proxies: &str) -> Server {
    let proxies = Arc::new(Proxies::parse(proxies).unwrap());
    Server::start_with(HttpSettings { visits_per_minute: 2, proxies, ..HttpSettings::default() }).await
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

/// A proxy writes one of the two headers, and passes on the other as it came.
#[tokio::test]
async fn what_a_visitor_writes_into_either_header_makes_them_nobody_else() {
    let server = server("127.0.0.1").await;
    let forged = |number: usize| format!("198.51.100.{number}");
    let visits: [(&[u8], Vec<u8>); 3] = [
        (b"\xff, 203.0.113.1", b"for=".to_vec()),
        (b"\xff, 203.0.113.1", b"for=\xff, for=".to_vec()),
        (b"203.0.113.1:99999", b"for=".to_vec()),
    ];
    for (way, (appended, beside)) in visits.into_iter().enumerate() {
        let mut last = 0;
        for number in 0..4 {
            let beside = [beside.clone(), forged(way * 10 + number).into_bytes()].concat();
            let visit = reqwest::Client::new().get(format!("{}/v1/catalog", server.address));
            let visit = visit.header("x-forwarded-for", appended).header("forwarded", beside);
            last = visit.send().await.unwrap().status().as_u16();
        }
        assert_eq!(last, 429, "{way}: another address for each visit keeps off the limit");
    }
}

/// Pieces that lists of hops are made of, and that spoil them.
fn written() -> impl Strategy<Value = Vec<u8>> {
    let pieces: [&[u8]; 25] = [
        b"for=",
        b"For=\"",
        b"\"",
        b"\\",
        b",",
        b", ",
        b";",
        b"=",
        b"by=",
        b"[::ffff:10.0.0.7]",
        b"10.0.0.7",
        b"198.51.100.7",
        b"for=198.51.100.7",
        b"\"[2001:db8::6]:80\"",
        b"2001:db8::6",
        b":80",
        b":99999",
        b"unknown",
        b"_hidden",
        b"%eth0",
        b"\xff",
        b"\xc3\xa9",
        b"\t",
        b" ",
        b"007",
    ];
    let piece = prop::sample::select(pieces.to_vec());
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// How a proxy writes down whom it got a request from.
#[derive(Clone, Copy, Debug)]
enum Form {
    Address,
    WithPort,
    WithOthers,
    OthersFirst,
}

impl Form {
    fn in_x_forwarded_for(self, from: IpAddr) -> String {
        match (self, from) {
            (Self::Address | Self::OthersFirst, from) => from.to_string(),
            (Self::WithPort | Self::WithOthers, IpAddr::V4(from)) => format!("{from}:4711"),
            (Self::WithPort | Self::WithOthers, IpAddr::V6(from)) => format!("[{from}]:4711"),
        }
    }

    fn in_forwarded(self, from: IpAddr) -> String {
        let node = if from.is_ipv6() { format!("[{from}]") } else { from.to_string() };
        let host = r#"host="a, for=198.51.100.7;for=\"198.51.100.7\"""#;
        match self {
            Self::Address if from.is_ipv4() => format!("for={node}"),
            Self::Address => format!("for=\"{node}\""),
            Self::WithPort => format!("For=\"{node}:4711\""),
            Self::WithOthers => format!("for=\"{node}\";proto=https;{host}"),
            Self::OthersFirst => format!("{host};by=\"[fd00::1]:_x\"; for=\"{node}\""),
        }
    }
}

/// How a proxy adds to a header that is there.
#[derive(Clone, Copy, Debug)]
enum Adding {
    ToTheLastLine,
    ToAllAsOne,
    ALine,
}

impl Adding {
    fn add(self, lines: &mut Vec<Vec<u8>>, hop: &str) {
        let so_far = match self {
            Self::ToTheLastLine => lines.pop(),
            Self::ToAllAsOne if lines.is_empty() => None,
            Self::ToAllAsOne => Some(std::mem::take(lines).join(&b", "[..])),
            Self::ALine => None,
        };
        let line = so_far.map(|line| [line, hop.into()].join(&b", "[..]));
        lines.push(line.unwrap_or_else(|| hop.into()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    /// Whatever a visitor sends in both headers, they are who they are, or nobody but the proxy.
    #[test]
    fn whatever_a_visitor_sends_they_are_themselves_or_the_proxy(
        mut forwarded in prop::collection::vec(written(), 0..3),
        mut x_forwarded_for in prop::collection::vec(written(), 0..3),
        real in prop::sample::select(vec!["203.0.113.9", "2001:db8:1::9"]),
        between in prop::collection::vec(prop::sample::select(vec!["10.1.0.1", "fd00::7", "::ffff:10.1.0.2"]), 0..3),
        writes_forwarded in any::<bool>(),
        form in prop::sample::select(vec![Form::Address, Form::WithPort, Form::WithOthers, Form::OthersFirst]),
        adding in prop::sample::select(vec![Adding::ToTheLastLine, Adding::ToAllAsOne, Adding::ALine]),
    ) {
        let real: IpAddr = real.parse().unwrap();
        let is_alone = if writes_forwarded { x_forwarded_for.is_empty() } else { forwarded.is_empty() };
        for from in [real].into_iter().chain(between.iter().map(|hop| hop.parse().unwrap())) {
            if writes_forwarded {
                adding.add(&mut forwarded, &form.in_forwarded(from));
            } else {
                adding.add(&mut x_forwarded_for, &form.in_x_forwarded_for(from));
            }
        }
        let mut request = Request::builder();
        for (name, lines) in [("forwarded", &forwarded), ("x-forwarded-for", &x_forwarded_for)] {
            for line in lines {
                request = request.header(name, HeaderValue::from_bytes(line).unwrap());
            }
        }
        let peer: IpAddr = "10.0.0.1".parse().unwrap();
        let proxies = Proxies::parse("10.0.0.0/8, fd00::/8").unwrap();
        let visitor = proxies.visitor(peer, &request.body(()).unwrap());
        prop_assert!(visitor == real || visitor == peer && !is_alone, "{visitor}");
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
