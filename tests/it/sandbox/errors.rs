//! Does it refuse what Stripe refuses, in Stripe's words?

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};

use super::{Bench, text};

async fn refused(bench: &Bench, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let (status, body) = bench.ask(Method::POST, path, form).await;
    assert!(status >= 400, "POST {path} {form:?} was accepted: {body}");
    (status, body["error"].clone())
}

#[tokio::test]
async fn live_keys_and_no_keys_are_refused() {
    let bench = Bench::start().await;
    let client = reqwest::Client::new();
    let url = format!("{}/v1/customers", bench.sandbox.url());
    for key in ["sk_live_x", "rk_live_x", "pk_test_x", ""] {
        let answer = client.get(&url).bearer_auth(key).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 401, "{key}");
    }
    let answer = client.get(&url).basic_auth("sk_live_x", Some("")).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 401);
    let answer = client.get(&url).basic_auth("sk_test_x", Some("")).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert!(answer.headers()["request-id"].to_str().unwrap().starts_with("req_"));
}

#[tokio::test]
async fn a_restricted_key_may_ask_for_what_it_is_for() {
    let bench = Bench::start().await;
    let restrict = |key: &str| json!({ "key": key, "may": ["products", "billing_portal/configurations"] });
    assert_eq!(bench.control("keys", restrict("rk_test_small")).await.0, 200);
    assert_eq!(bench.control("keys", restrict("sk_test_whole")).await.0, 400);
    let client = reqwest::Client::new();
    for (path, status) in [("products", 200), ("billing_portal/configurations", 200), ("customers", 403)] {
        let url = format!("{}/v1/{path}", bench.sandbox.url());
        let answer = client.get(url).bearer_auth("rk_test_small").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
}

#[tokio::test]
async fn a_price_that_its_product_has_by_default_is_not_archived() {
    let bench = Bench::start().await;
    let form = [
        ("name", "Basic"),
        ("default_price_data[unit_amount]", "999"),
        ("default_price_data[currency]", "usd"),
    ];
    let product = bench.post("/v1/products", &form).await;
    let price = format!("/v1/prices/{}", text(&product["default_price"]));
    let (status, error) = refused(&bench, &price, &[("active", "false")]).await;
    assert_eq!((status, &error["param"]), (400, &json!("active")), "{error}");
    let path = format!("/v1/products/{}", text(&product["id"]));
    let form = [("product", text(&product["id"])), ("unit_amount", "1999"), ("currency", "usd")];
    let other = bench.post("/v1/prices", &form).await;
    bench.post(&path, &[("default_price", text(&other["id"]))]).await;
    bench.post(&price, &[("active", "false")]).await;
}

#[tokio::test]
async fn parameters_are_checked() {
    let bench = Bench::start().await;
    type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str, &'static str);
    let cases: [Case; 7] = [
        ("/v1/customers", &[("nmae", "x")], "parameter_unknown", "nmae"),
        ("/v1/customers", &[("address[town]", "x")], "parameter_unknown", "address[town]"),
        ("/v1/payment_intents", &[("currency", "usd")], "parameter_missing", "amount"),
        (
            "/v1/payment_intents",
            &[("currency", "usd"), ("amount", "1.5")],
            "parameter_invalid_integer",
            "amount",
        ),
        ("/v1/payment_intents", &[("currency", "usd"), ("amount", "49")], "amount_too_small", "amount"),
        (
            "/v1/subscriptions",
            &[("customer", "cus_none"), ("items[0][price]", "p")],
            "resource_missing",
            "customer",
        ),
        ("/v1/subscriptions", &[("customer", "")], "parameter_missing", "customer"),
    ];
    for (path, form, code, param) in cases {
        let (status, error) = refused(&bench, path, form).await;
        assert_eq!(
            (status, &error["type"], &error["code"], &error["param"]),
            (400, &json!("invalid_request_error"), &json!(code), &json!(param)),
            "{path} {form:?}: {error}"
        );
    }
    let (status, error) = refused(&bench, "/v1/checkout/sessions", &[("mode", "buy")]).await;
    assert!(status == 400 && text(&error["message"]).contains("must be one of"), "{error}");
    let (status, _) = refused(&bench, "/v1/nothing", &[]).await;
    assert_eq!(status, 404);
    let (status, body) = bench.ask(Method::GET, "/v1/customers/cus_none", &[]).await;
    assert_eq!((status, &body["error"]["code"]), (404, &json!("resource_missing")));
}

#[tokio::test]
async fn the_same_key_gives_the_same_answer() {
    let bench = Bench::start().await;
    let client = reqwest::Client::new();
    let url = format!("{}/v1/customers", bench.sandbox.url());
    let send = |name: &'static str| {
        client
            .post(&url)
            .bearer_auth("sk_test_x")
            .header("idempotency-key", "k1")
            .form(&[("name", name)])
            .send()
    };
    let first = send("Ada").await.unwrap();
    assert!(first.headers().get("idempotent-replayed").is_none());
    let first: Value = first.json().await.unwrap();
    let second = send("Ada").await.unwrap();
    assert_eq!(second.headers()["idempotent-replayed"], "true");
    assert_eq!(second.json::<Value>().await.unwrap(), first);
    let other = send("Bob").await.unwrap();
    assert_eq!(other.status().as_u16(), 400);
    assert_eq!(other.json::<Value>().await.unwrap()["error"]["type"], "idempotency_error");
    assert_eq!(bench.get("/v1/customers").await["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn lists_have_cursors() {
    let bench = Bench::start().await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let made = bench.post("/v1/customers", &[("name", name)]).await;
        ids.insert(0, text(&made["id"]).to_owned());
    }
    let seen = |page: &Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|row| text(&row["id"]).to_owned()).collect()
    };
    let first = bench.get("/v1/customers?limit=2").await;
    assert_eq!((seen(&first), &first["has_more"]), (ids[..2].to_vec(), &json!(true)));
    let rest = bench.get(&format!("/v1/customers?limit=3&starting_after={}", ids[1])).await;
    assert_eq!((seen(&rest), &rest["has_more"]), (ids[2..].to_vec(), &json!(false)));
    let before = bench.get(&format!("/v1/customers?limit=1&ending_before={}", ids[3])).await;
    assert_eq!((seen(&before), &before["has_more"]), (ids[2..3].to_vec(), &json!(true)));
    for wrong in ["limit=0", "limit=101", "starting_after=cus_none"] {
        let (status, _) = bench.ask(Method::GET, &format!("/v1/customers?{wrong}"), &[]).await;
        assert_eq!(status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn what_is_expanded_is_shown_and_what_cannot_be_is_refused() {
    let bench = Bench::start().await;
    let price = bench.price("Basic", "999").await;
    let row = bench.get(&format!("/v1/prices/{price}?expand[]=product")).await;
    assert_eq!(row["product"]["name"], "Basic");
    let list = bench.get("/v1/prices?expand[]=data.product").await;
    assert_eq!(list["data"][0]["product"]["object"], "product");
    let (status, body) = bench.ask(Method::GET, &format!("/v1/prices/{price}?expand[]=currency"), &[]).await;
    assert_eq!(status, 400, "{body}");
}

#[tokio::test]
async fn it_fails_when_it_is_asked_to() {
    let bench = Bench::start().await;
    let faults = json!({ "api": [
        { "status": 429 },
        { "status": 500, "after_work": true },
        { "cut": true, "after_work": true },
    ] });
    bench.control("faults", faults).await;
    let (status, body) = bench.ask(Method::POST, "/v1/customers", &[]).await;
    assert_eq!((status, &body["error"]["code"]), (429, &json!("rate_limit")));
    let (status, _) = bench.ask(Method::POST, "/v1/customers", &[]).await;
    assert_eq!(status, 500);
    let client = reqwest::Client::new();
    let cut =
        client.post(format!("{}/v1/customers", bench.sandbox.url())).bearer_auth("sk_test_x").send().await;
    let whole = match cut {
        Ok(response) => response.text().await.is_ok(),
        Err(_) => false,
    };
    assert!(!whole, "the answer was cut");
    assert_eq!(
        bench.get("/v1/customers").await["data"].as_array().unwrap().len(),
        2,
        "two were made all the same"
    );
}

#[tokio::test]
async fn a_parameter_that_it_has_no_use_for_is_taken_and_has_no_effect() {
    let bench = Bench::start().await;
    let plain = bench.post("/v1/customers", &[("name", "Ada")]).await;
    let form = [("name", "Ada"), ("tax_exempt", "reverse"), ("preferred_locales[0]", "de")];
    let mut made = bench.post("/v1/customers", &form).await;
    for name in ["id", "invoice_prefix"] {
        made[name] = plain[name].clone();
    }
    assert_eq!(made, plain);
}

/// Whoever has sent half of a request would otherwise keep the whole program from stopping.
#[tokio::test]
async fn a_request_that_does_not_end_does_not_keep_it_from_stopping() {
    let bench = Bench::start().await;
    let address = bench.sandbox.url().trim_start_matches("http://").to_owned();
    let mut connection = TcpStream::connect(address).await.expect("it listens");
    let half = b"POST /v1/customers HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nname";
    connection.write_all(half).await.expect("it reads");
    bench.get("/v1/customers").await;
    timeout(Duration::from_secs(20), bench.sandbox.stop()).await.expect("it stops");
}

/// The framework would answer these by itself, with a line of text or with nothing.
#[tokio::test]
async fn what_cannot_be_read_is_refused_in_the_same_form_as_everything_else() {
    let bench = Bench::start().await;
    let (json, form) = ("application/json", "application/x-www-form-urlencoded");
    let long = vec![b' '; (1 << 20) + 1];
    for (method, path, kind, body, status) in [
        ("POST", "/_sandbox/clock", json, b"[\"1 month\",null]".as_slice(), 422),
        ("POST", "/_sandbox/clock", json, b"{\"advance\":5}", 422),
        ("POST", "/_sandbox/clock", json, b"{\"to\":1,\"to\":2}", 422),
        ("POST", "/_sandbox/clock", json, b"{\"advance\":\"1 month\"", 400),
        ("POST", "/_sandbox/clock", form, b"advance=1+month", 415),
        ("POST", "/_sandbox/clock", json, &long, 413),
        ("POST", "/_sandbox/faults", json, b"[1,2,3,4,5,[]]", 422),
        ("POST", "/_sandbox/disputes/dp_%ff", json, b"{\"status\":\"won\"}", 400),
        ("DELETE", "/_sandbox/clock", json, b"", 405),
        ("GET", "/_sandbox/payment_links", json, b"", 405),
        ("GET", "/_sandbox/nothing", json, b"", 404),
        ("GET", "/nothing", json, b"", 404),
        ("GET", "/v1", json, b"", 404),
        ("POST", "/v1/customers", form, &long, 413),
        ("POST", "/checkout/cs_test_x", form, b"name=\xff", 400),
        ("POST", "/checkout/cs_test_x", form, &long, 413),
        ("GET", "/invoices/%ff", json, b"", 400),
    ] {
        let method: Method = method.parse().unwrap();
        let url = format!("{}{path}", bench.sandbox.url());
        let request = reqwest::Client::new().request(method, url).bearer_auth("sk_test_bench");
        let answer = request.header("content-type", kind).body(body.to_vec()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
        let answer: Value = answer.json().await.unwrap_or_else(|error| panic!("{path}: {error}"));
        let error = &answer["error"];
        assert_eq!(error["type"], "invalid_request_error", "{path}: {answer}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{path}: {answer}");
    }
    assert!(bench.page("/_sandbox").await.1.contains("2026-01-31 12:00:00"), "no time has passed");
}
