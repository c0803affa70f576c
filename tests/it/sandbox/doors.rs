//! Who may use the sandbox, and can what somebody typed run on its pages?

use std::{fs, path::Path};

use counterfoil::{
    clock::Clock,
    sandbox::{NoKey, Sandbox, SandboxKey, SandboxOptions},
};
use reqwest::{Client, Method, header::HeaderValue, redirect::Policy};
use serde_json::json;

use super::{Bench, text};
use crate::support::program;

const KEY: &str = "sk_test_of_a_sandbox_that_others_reach";
const EVERYWHERE: &str = "0.0.0.0:0";

fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

/// The status of a request with these headers.
async fn status(bench: &Bench, method: Method, path: &str, headers: &[(&str, &str)]) -> u16 {
    let mut request = client().request(method.clone(), format!("{}{path}", bench.sandbox.url()));
    if method == Method::POST {
        request = request.form(&[if path == "/clock" { ("advance", "1 day") } else { ("name", "Ada") }]);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_name_that_somebody_lets_point_here_is_not_answered() {
    let bench = Bench::start().await;
    let port = bench.sandbox.address().port();
    for name in ["127.0.0.1", "localhost", "LOCALHOST.", "shop.localhost", "[::1]", "127.0.0.2"] {
        assert_eq!(
            status(&bench, Method::GET, "/", &[("host", &format!("{name}:{port}"))]).await,
            200,
            "{name}"
        );
    }
    for name in
        ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "203.0.113.9", "notlocalhost"]
    {
        let host = format!("{name}:{port}");
        for path in ["/", "/_sandbox", "/v1/customers"] {
            let headers = [("host", host.as_str()), ("authorization", "Bearer sk_test_any")];
            assert_eq!(status(&bench, Method::GET, path, &headers).await, 403, "{name}{path}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_as_a_host_is_not_this_machine() {
    let bench = Bench::start().await;
    let own = format!("127.0.0.1:{}", bench.sandbox.address().port());
    for (host, expected) in [
        (own.as_bytes(), 200),
        (b"localhost", 200),
        (b"\xffevil.com", 403),
        (b"[::1].evil.com", 403),
        (b"[::1]evil.com", 403),
        (b"[localhost]", 403),
        (b"evil.com/.localhost", 403),
        (b"evil.com#.localhost", 403),
        (b"evil.com?.localhost", 403),
        (b"evil.com@localhost", 403),
        (b"localhost@evil.com", 403),
        (b"localhost:evil", 403),
        (b"localhost:99999", 403),
        (b"localhost, evil.com", 403),
        (b"evil,com.localhost", 403),
        (b"evil%2ecom.localhost", 403),
        (b"::1", 403),
        (b"a b", 403),
        (b"", 403),
    ] {
        let asked = client().get(bench.sandbox.url()).header("host", HeaderValue::from_bytes(host).unwrap());
        let status = asked.send().await.unwrap().status().as_u16();
        assert_eq!(status, expected, "{}", host.escape_ascii());
    }
}

#[tokio::test]
async fn a_form_of_another_page_changes_nothing() {
    let bench = Bench::start().await;
    let own = bench.sandbox.url();
    let before = bench.control("webhooks", json!({})).await.0;
    assert_eq!(before, 200, "programs say nothing of pages");
    for (path, accepted) in [("/clock", 303), ("/v1/customers", 200)] {
        let key = ("authorization", "Bearer sk_test_any");
        for headers in [
            &[][..],
            &[("origin", own.as_str())],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
        ] {
            let headers = [headers, &[key]].concat();
            assert_eq!(status(&bench, Method::POST, path, &headers).await, accepted, "{path} {headers:?}");
        }
        for headers in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1:1"),
            ("origin", "http://localhost"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            assert_eq!(status(&bench, Method::POST, path, &[headers, key]).await, 403, "{path} {headers:?}");
        }
    }
    // To follow a link from elsewhere is how people come to a page to pay on.
    assert_eq!(status(&bench, Method::GET, "/", &[("sec-fetch-site", "cross-site")]).await, 200);
}

fn options(listen: &str) -> SandboxOptions {
    let clock = Clock::system();
    SandboxOptions {
        listen: listen.parse().unwrap(),
        webhook: None,
        clock: clock.clone(),
        signing_clock: clock,
    }
}

#[tokio::test]
async fn beyond_this_machine_whoever_has_no_key_gets_nothing() {
    assert!(Sandbox::start(options(EVERYWHERE)).await.is_err());
    let key = SandboxKey::of(Some(KEY), EVERYWHERE.parse().unwrap()).unwrap();
    let sandbox = Sandbox::start_behind(options(EVERYWHERE), key).await.unwrap();
    let url = |path: &str| format!("http://127.0.0.1:{}{path}", sandbox.address().port());
    for path in ["/", "/_sandbox", "/v1/customers", "/checkout/cs_test_guess"] {
        for other in [None, Some("sk_test_any")] {
            let mut request = client().get(url(path));
            if let Some(other) = other {
                request = request.bearer_auth(other);
            }
            let refused = request.send().await.unwrap();
            assert_eq!(refused.status().as_u16(), 401, "{path}");
            assert!(refused.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic"));
        }
    }
    // As people, as Stripe's clients and as others say it; by any name, since no page of others has the key.
    let asked = [
        client().get(url("/")).basic_auth("me", Some(KEY)),
        client().get(url("/v1/customers")).basic_auth(KEY, None::<&str>),
        client().get(url("/v1/customers")).bearer_auth(KEY).header("host", "sandbox:12111"),
        client().post(url("/_sandbox/clock")).bearer_auth(KEY).json(&json!({ "advance": "1 day" })),
    ];
    for request in asked {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{}", answer.text().await.unwrap());
    }
    let form =
        client().post(url("/clock")).basic_auth("me", Some(KEY)).header("origin", "https://evil.example");
    assert_eq!(form.form(&[("advance", "1 day")]).send().await.unwrap().status().as_u16(), 403);
    sandbox.stop().await;
}

#[test]
fn a_key_is_asked_for_where_it_is_needed_and_none_is_guessed() {
    let of = |key, listen: &str| SandboxKey::of(key, listen.parse().unwrap()).map(|key| key.is_some());
    for (key, listen, expected) in [
        (None, "127.0.0.1:12111", Ok(false)),
        (None, "[::1]:12111", Ok(false)),
        (Some(KEY), "127.0.0.1:12111", Ok(true)),
        (None, "0.0.0.0:12111", Err(NoKey::Missing)),
        (None, "[::]:12111", Err(NoKey::Missing)),
        (None, "192.168.1.7:12111", Err(NoKey::Missing)),
        (Some("sk_test_short"), "0.0.0.0:12111", Err(NoKey::Invalid)),
        (Some("sk_live_of_a_sandbox_that_others_reach"), "127.0.0.1:12111", Err(NoKey::Invalid)),
    ] {
        assert_eq!(of(key, listen), expected, "{key:?} {listen}");
    }
    for arguments in [&["sandbox", "--listen", EVERYWHERE][..], &["serve", "--sandbox=0.0.0.0:0"]] {
        let refused = program::run(program::command(arguments).env("HOME", "/nowhere"));
        let said = program::stderr(&refused);
        assert_eq!(program::code(&refused), 2, "{said}");
        assert!(said.contains("STRIPE_SANDBOX_KEY"), "{said}");
    }
}

/// What would run if a page took it as it is, in a text or in an attribute.
const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;";
/// What a page may make of it. A single quote ends no attribute, since all of them are in double ones.
const HARMLESS: &str =
    "&quot;'&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&amp;amp;";

#[tokio::test]
async fn what_somebody_typed_is_shown_and_does_not_run() {
    let bench = Bench::start().await;
    let price = bench.price(HOSTILE, "999").await;
    let customer = bench.customer("pm_card_visa").await;
    let named = [("email", HOSTILE), ("name", HOSTILE), ("description", HOSTILE)];
    bench.ask(Method::POST, &format!("/v1/customers/{customer}"), &named).await;
    let form = [("customer", customer.as_str()), ("items[0][price]", &price), ("metadata[note]", HOSTILE)];
    bench.post("/v1/subscriptions", &form).await;
    bench.told("customer.subscription.created").await;
    let recorded =
        json!({ "id": HOSTILE, "created": 1, "type": HOSTILE, "data": { "object": { "id": HOSTILE } } });
    assert_eq!(bench.control("documents", json!({ "events": [recorded] })).await.0, 200);
    assert_eq!(bench.control("webhooks", json!({ "events": [HOSTILE] })).await.0, 200);
    let back = format!("https://example.com/?{HOSTILE}");
    let portal = [("customer", customer.as_str()), ("return_url", &back)];
    let portal = bench.post("/v1/billing_portal/sessions", &portal).await;
    let invoice = text(&bench.get("/v1/invoices").await["data"][0]["id"]).to_owned();
    let checkout = [
        ("mode", "subscription"),
        ("line_items[0][price]", price.as_str()),
        ("line_items[0][quantity]", "1"),
        ("client_reference_id", HOSTILE),
        ("customer_email", HOSTILE),
        ("success_url", &back),
        ("cancel_url", "javascript:alert(1)//<img src=x>"),
    ];
    let checkout = bench.post("/v1/checkout/sessions", &checkout).await;
    let place = |url: &str| url.replace(&bench.sandbox.url(), "");
    let hostile = HOSTILE.replace('/', "%2F");
    let mut pages = vec![
        bench.page("/").await.1,
        bench.page(&place(text(&portal["url"]))).await.1,
        bench.page(&format!("/checkout/{hostile}")).await.1,
        bench.page(&format!("/portal/{hostile}")).await.1,
        bench.page(&format!("/invoices/{invoice}")).await.1,
        bench.page(&format!("/invoices/{hostile}")).await.1,
        bench.submit("/clock", &[("advance", HOSTILE)]).await.2,
        bench.submit("/buy", &[("price", HOSTILE), ("for", HOSTILE)]).await.2,
        bench.submit(&format!("/resend/{hostile}x"), &[]).await.2,
    ];
    let page = place(text(&checkout["url"]));
    pages.push(bench.page(&page).await.1);
    let typed =
        [("email", HOSTILE), ("name", HOSTILE), ("number", HOSTILE), ("expiry", "12/49"), ("cvc", HOSTILE)];
    pages.push(bench.submit(&page, &typed).await.2);
    // The bank asks, and what was typed goes along.
    let asked = [
        ("email", HOSTILE),
        ("name", HOSTILE),
        ("number", "4000002500003155"),
        ("expiry", "12/49"),
        (HOSTILE, HOSTILE),
    ];
    pages.push(bench.submit(&page, &asked).await.2);
    let shown = |page: &String| page.matches(HARMLESS).count();
    assert!(pages.iter().filter(|page| shown(page) > 0).count() > 8, "it is shown: {pages:#?}");
    assert!(shown(&pages[0]) >= 5, "an e-mail address, a plan, an event and its type: {}", pages[0]);
    for page in &pages {
        assert_eq!(page.matches("alert(1)").count(), 2 * shown(page), "{page}");
        assert!(!page.contains("<script") && !page.contains("href=\"javascript:"), "{page}");
    }
    let overview = client().get(bench.sandbox.url()).send().await.unwrap();
    let policy = overview.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
}

/// A page is markup, and only markup goes into it as it is. So nobody can forget to escape.
#[test]
fn only_the_style_is_put_into_a_page_as_it_is() {
    let mut files = Vec::new();
    crate::support::statements::files(Path::new("crates/sandbox/src"), &mut files);
    let mut unescaped = Vec::new();
    for path in files.iter().filter(|path| path.extension().is_some_and(|its| its == "rs")) {
        let source = fs::read_to_string(path).unwrap();
        let lines =
            source.lines().filter(|line| line.contains("PreEscaped(")).map(|line| line.trim().to_owned());
        unescaped.extend(lines);
        assert!(!source.contains("</"), "{} writes markup as text", path.display());
    }
    assert_eq!(unescaped, ["const STYLE: PreEscaped<&str> = PreEscaped(include_str!(\"style.css\"));"]);
}
