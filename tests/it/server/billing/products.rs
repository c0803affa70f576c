//! Does a pricing page get what the catalog sells, and an operator what Stripe has to sell?

use counterfoil::{auth::keys::KeyScope, http::HttpSettings, stripe::outbound::BillingMode};
use reqwest::{Client, Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use crate::support::{
    http::{Answer, Server},
    ledger::{TestLedger, music_for_sale},
    shop::{Shop, client},
};

/// As a browser asks: without a key.
async fn visit(server: &Server, path: &str, tag: Option<&str>) -> (StatusCode, HeaderMap, Value) {
    let mut request = Client::new().get(format!("{}{path}", server.address));
    if let Some(tag) = tag {
        request = request.header("if-none-match", tag);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    (status, headers, serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null))
}

/// Nothing listens there: whoever asks Stripe is told that it does not answer.
async fn without_stripe(settings: HttpSettings) -> Server {
    let switch = BillingMode::On(client("sk_test_shop", "http://127.0.0.1:1"));
    Server::start_selling(TestLedger::selling(music_for_sale()).await, settings, switch).await
}

async fn make(shop: &Shop, path: &str, body: &Value) -> Answer {
    shop.server.call(Method::POST, path).json(body.clone()).send().await
}

fn product() -> Value {
    json!({ "product": "studio", "name": "Studio", "marketing": ["9,000 credits"] })
}

fn price() -> Value {
    json!({ "product": "studio", "amount": 4_999, "interval": "month", "lookup_key": "studio_month" })
}

#[tokio::test]
async fn a_pricing_page_needs_no_key_and_no_stripe() {
    let server = without_stripe(HttpSettings::default()).await;
    let (status, headers, body) = visit(&server, "/v1/products", None).await;
    assert_eq!((status, &headers["cache-control"]), (StatusCode::OK, &"public, max-age=60".parse().unwrap()));
    let names: Vec<&str> =
        body["products"].as_array().unwrap().iter().map(|it| it["product"].as_str().unwrap()).collect();
    assert_eq!(names, ["free", "basic", "creator", "team", "pack_500", "pack_2000", "pack_5500"]);
    let (_, _, creator) = visit(&server, "/v1/products/creator", None).await;
    assert_eq!((&creator["credits"], &creator["popular"]), (&json!(1_500), &json!(true)));
    let month = json!({
        "product": "creator", "kind": "plan", "interval": "month", "amount": { "minor": 1_999, "currency": "usd" },
        "stripe_price": "price_of_stripe_price_creator", "for_sale": true,
    });
    assert_eq!(creator["prices"][0], month);
    let (_, _, prices) = visit(&server, "/v1/prices", None).await;
    let prices = prices["prices"].as_array().unwrap();
    assert!(prices.contains(&month) && prices.iter().any(|price| price["interval"].is_null()), "{prices:?}");
    server.get("/v1/products/gold").send().await.is_problem(404, "product_not_found");
    server.get("/v1/products/a%20b").send().await.is_problem(400, "invalid_parameter");
}

#[tokio::test]
async fn a_plans_lines_for_buyers_are_shown_wherever_it_is_offered() {
    let server = without_stripe(HttpSettings::default()).await;
    let catalog = server.test.ledger.catalog().clone();
    let plan = catalog.plans.iter().find(|plan| plan.id.as_str() == "creator").unwrap();
    assert!(plan.marketing.len() > 1);
    let lines = json!(plan.marketing);
    let shown = |list: &Value| {
        let named = |it: &&Value| it["product"] == "creator" || it["id"] == "creator";
        list.as_array().unwrap().iter().find(named).unwrap()["marketing"].clone()
    };
    assert_eq!(shown(&visit(&server, "/v1/products", None).await.2["products"]), lines);
    assert_eq!(visit(&server, "/v1/products/creator", None).await.2["marketing"], lines);
    assert_eq!(visit(&server, "/v1/products/pack_500", None).await.2["marketing"], json!([]));
    assert_eq!(shown(&server.get("/v1/catalog").send().await.body["plans"]), lines);
}

#[tokio::test]
async fn a_browser_that_has_it_is_not_sent_it_again() {
    let server = without_stripe(HttpSettings::default()).await;
    for path in ["/v1/products", "/v1/products/creator", "/v1/prices"] {
        let (_, headers, _) = visit(&server, path, None).await;
        let tag = headers["etag"].to_str().unwrap().to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let (status, headers, body) = visit(&server, path, Some(&known)).await;
            assert_eq!((status, &body), (StatusCode::NOT_MODIFIED, &Value::Null), "{path} {known}");
            assert_eq!(headers["etag"], tag.as_str());
        }
        assert_eq!(visit(&server, path, Some("\"other\"")).await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_visitor_that_asks_too_often_waits_and_those_with_keys_do_not() {
    let server = without_stripe(HttpSettings { visits_per_minute: 3, ..HttpSettings::default() }).await;
    for _ in 0..3 {
        assert_eq!(visit(&server, "/v1/products", None).await.0, StatusCode::OK);
    }
    let (status, headers, body) = visit(&server, "/v1/prices", None).await;
    assert_eq!((status, &body["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("rate_limited")));
    let wait: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=21).contains(&wait), "{wait}");
    // Whatever is asked for, but for those who watch the server, and Stripe.
    for path in ["/v1/catalog", "/openapi.json", "/docs/", "/nothing"] {
        assert_eq!(visit(&server, path, None).await.0, StatusCode::TOO_MANY_REQUESTS, "{path}");
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(visit(&server, path, None).await.0, StatusCode::OK, "{path}");
    }
    assert_eq!(server.open("acme").await.status, 201);
}

#[tokio::test]
async fn an_operator_makes_products_and_prices_and_finds_them_again() {
    let shop = Shop::start().await;
    let made = make(&shop, "/v1/products", &product()).await;
    assert_eq!(
        (made.status.as_u16(), &made.body["stripe_product"]),
        (201, &json!("studio")),
        "{}",
        made.text
    );
    let again = make(&shop, "/v1/products", &product()).await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &made.body));
    let other = json!({ "product": "studio", "name": "Atelier" });
    make(&shop, "/v1/products", &other).await.is_problem(409, "name_taken");
    let made = make(&shop, "/v1/prices", &price()).await;
    assert_eq!((made.status.as_u16(), &made.body["interval"]), (201, &json!("month")), "{}", made.text);
    assert_eq!(made.body["amount"], json!({ "minor": 4_999, "currency": "usd" }));
    let again = make(&shop, "/v1/prices", &price()).await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &made.body));
    for (name, value) in [("amount", json!(5_000)), ("interval", json!("year")), ("interval", Value::Null)] {
        let other = crate::support::shop::with(price(), name, value);
        make(&shop, "/v1/prices", &other).await.is_problem(409, "name_taken");
    }
    let nowhere = json!({ "product": "nothing", "amount": 1, "lookup_key": "other" });
    let refused = make(&shop, "/v1/prices", &nowhere).await;
    refused.is_problem(502, "stripe_rejected");
    assert_eq!(refused.body["stripe_parameter"], "product");
    let ours = shop.list("/v1/prices").await.into_iter().filter(|price| price["product"] == "studio");
    assert_eq!(ours.count(), 1);
}

#[tokio::test]
async fn an_outage_after_the_work_makes_one_of_each() {
    let shop = Shop::start().await;
    for (path, body) in [("/v1/products", product()), ("/v1/prices", price())] {
        // All tries of the first request are cut off, the first after its work.
        shop.fail(json!([{ "cut": true, "after_work": true }, { "status": 500, "times": 2 }])).await;
        make(&shop, path, &body).await.is_problem(503, "stripe_outcome_unknown");
        assert_eq!(make(&shop, path, &body).await.status, 200, "the first request has made it");
        // One failure is not noticed.
        shop.fail(json!([{ "status": 503 }])).await;
        assert_eq!(make(&shop, path, &body).await.status, 200);
    }
}

#[tokio::test]
async fn only_an_administrator_makes_them() {
    let shop = Shop::start().await;
    let key = shop.server.key([KeyScope::Billing, KeyScope::Operate], None).await;
    for (path, body) in [("/v1/products", product()), ("/v1/prices", price())] {
        let answer = shop.server.call(Method::POST, path).key(&key).json(body).send().await;
        answer.is_problem(403, "scope_missing");
    }
}
