//! Do coupons, promotion codes and payment links make things cheaper, or sell them, as at Stripe?

use reqwest::Method;
use serde_json::{Value, json};

use super::{Bench, text};

async fn coupon(bench: &Bench, terms: &[(&str, &str)]) -> String {
    text(&bench.post("/v1/coupons", terms).await["id"]).to_owned()
}

async fn subscribe(bench: &Bench, terms: &[(&str, &str)]) -> Value {
    let customer = bench.customer("pm_card_visa").await;
    let price = bench.price("Creator", "1999").await;
    let mut form = vec![("customer", customer.as_str()), ("items[0][price]", &price)];
    form.extend_from_slice(terms);
    bench.post("/v1/subscriptions", &form).await
}

async fn latest(bench: &Bench, row: &Value) -> Value {
    let row = bench.get(&format!("/v1/subscriptions/{}", text(&row["id"]))).await;
    bench.get(&format!("/v1/invoices/{}", text(&row["latest_invoice"]))).await
}

#[tokio::test]
async fn a_coupon_is_told_by_its_id_and_taken_off_the_lines() {
    let bench = Bench::start().await;
    let half = coupon(&bench, &[("percent_off", "50"), ("duration", "forever")]).await;
    let row = subscribe(&bench, &[("discounts[0][coupon]", &half)]).await;
    let discount = text(&row["discounts"][0]).to_owned();
    let invoice = latest(&bench, &row).await;
    assert_eq!((&invoice["subtotal"], &invoice["total"]), (&json!(1999), &json!(999)));
    assert_eq!(invoice["total_discount_amounts"], json!([{ "amount": 1000, "discount": discount }]));
    assert_eq!(invoice["lines"]["data"][0]["discount_amounts"][0]["amount"], 1000);
    let path = format!("/v1/subscriptions/{}?expand[]=discounts.source.coupon", text(&row["id"]));
    assert_eq!(bench.get(&path).await["discounts"][0]["source"]["coupon"]["percent_off"], 50);
    bench.advance("29 days").await;
    assert_eq!(latest(&bench, &row).await["total"], 999, "for ever");
}

#[tokio::test]
async fn a_coupon_lasts_once_or_for_some_months() {
    for (terms, totals) in [
        (vec![("duration", "once")], [999, 1999, 1999]),
        (vec![("duration", "repeating"), ("duration_in_months", "2")], [999, 999, 1999]),
    ] {
        let bench = Bench::start().await;
        let mut form = vec![("amount_off", "1000"), ("currency", "usd")];
        form.extend(terms);
        let off = coupon(&bench, &form).await;
        let row = subscribe(&bench, &[("discounts[0][coupon]", &off)]).await;
        let mut seen = vec![latest(&bench, &row).await["total"].as_i64().unwrap()];
        for until in ["2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"] {
            bench.advance(until).await;
            seen.push(latest(&bench, &row).await["total"].as_i64().unwrap());
        }
        assert_eq!(seen, totals);
        let row = bench.get(&format!("/v1/subscriptions/{}", text(&row["id"]))).await;
        assert_eq!(row["discounts"], json!([]));
    }
}

#[tokio::test]
async fn under_a_coupon_for_all_of_it_a_change_has_lines_of_0() {
    let bench = Bench::start().await;
    let all = coupon(&bench, &[("percent_off", "100"), ("duration", "forever")]).await;
    let row = subscribe(&bench, &[("discounts[0][coupon]", &all)]).await;
    assert_eq!(row["status"], "active");
    let item = text(&row["items"]["data"][0]["id"]).to_owned();
    bench.advance("14 days").await;
    let form = [
        ("items[0][id]", item.as_str()),
        ("items[0][quantity]", "2"),
        ("proration_behavior", "always_invoice"),
    ];
    bench.post(&format!("/v1/subscriptions/{}", text(&row["id"])), &form).await;
    let lines = latest(&bench, &row).await["lines"]["data"].clone();
    assert_eq!((&lines[0]["amount"], &lines[1]["amount"]), (&json!(0), &json!(0)));
    let credited =
        |line: &Value| line["parent"]["invoice_item_details"]["proration_details"]["credited_items"].clone();
    assert!(credited(&lines[0])["invoice"].is_string() && credited(&lines[1]).is_null());
}

#[tokio::test]
async fn items_and_customers_have_discounts_of_their_own() {
    let bench = Bench::start().await;
    let half = coupon(&bench, &[("percent_off", "50"), ("duration", "forever")]).await;
    let row = subscribe(&bench, &[]).await;
    let (path, item) =
        (format!("/v1/subscriptions/{}", text(&row["id"])), text(&row["items"]["data"][0]["id"]).to_owned());
    let form = [("items[0][id]", item.as_str()), ("items[0][discounts][0][coupon]", &half)];
    let changed = bench.post(&path, &form).await;
    assert!(changed["items"]["data"][0]["discounts"][0].is_string());
    bench.advance("2026-03-01T00:00:00Z").await;
    assert_eq!(latest(&bench, &row).await["total"], 999);
    bench.post(&path, &[("items[0][id]", item.as_str()), ("items[0][discounts]", "")]).await;
    let customer = text(&row["customer"]).to_owned();
    bench.control(&format!("customers/{customer}/discount"), json!({ "coupon": half })).await;
    bench.advance("2026-04-01T00:00:00Z").await;
    assert_eq!(latest(&bench, &row).await["total"], 999);
    bench.delete(&format!("/v1/customers/{customer}/discount")).await;
    bench.advance("2026-05-01T00:00:00Z").await;
    assert_eq!(latest(&bench, &row).await["total"], 1999);
}

#[tokio::test]
async fn a_customer_has_one_discount_and_the_end_of_the_one_before_is_told() {
    let bench = Bench::start().await;
    let customer = bench.customer("pm_card_visa").await;
    let mut shown = Vec::new();
    for percent in ["50", "10"] {
        let off = coupon(&bench, &[("percent_off", percent), ("duration", "forever")]).await;
        bench.control(&format!("customers/{customer}/discount"), json!({ "coupon": off })).await;
        let discount = bench.get(&format!("/v1/customers/{customer}")).await["discount"].clone();
        shown.push(text(&discount["id"]).to_owned());
    }
    let ended = bench.get("/v1/events?type=customer.discount.deleted").await["data"].clone();
    assert_eq!((ended.as_array().unwrap().len(), &ended[0]["data"]["object"]["id"]), (1, &json!(shown[0])));
    assert_eq!(ended[0]["data"]["object"]["source"]["type"], "coupon");
}

#[tokio::test]
async fn a_code_is_typed_in_at_the_checkout() {
    let bench = Bench::start().await;
    let half = coupon(&bench, &[("percent_off", "12.5"), ("duration", "once")]).await;
    let form = [("promotion[type]", "coupon"), ("promotion[coupon]", half.as_str()), ("code", "SPRING")];
    let code = bench.post("/v1/promotion_codes", &form).await;
    let price = bench.price("Creator", "2000").await;
    let form = [
        ("mode", "subscription"),
        ("line_items[0][price]", price.as_str()),
        ("line_items[0][quantity]", "1"),
        ("success_url", "https://example.com"),
        ("allow_promotion_codes", "true"),
    ];
    let session = bench.post("/v1/checkout/sessions", &form).await;
    let pay = format!("checkout/{}/pay", text(&session["id"]));
    let wrong = json!({ "card": "pm_card_visa", "email": "a@example.com", "promotion_code": "WINTER" });
    assert_eq!(bench.control(&pay, wrong).await.0, 400);
    let right = json!({ "card": "pm_card_visa", "email": "a@example.com", "promotion_code": "spring" });
    let (_, paid) = bench.control(&pay, right).await;
    assert_eq!((&paid["amount_subtotal"], &paid["amount_total"]), (&json!(2000), &json!(1750)));
    assert_eq!(paid["discounts"][0]["promotion_code"], code["id"]);
    let invoice = bench.get(&format!("/v1/invoices/{}", text(&paid["invoice"]))).await;
    assert_eq!(invoice["amount_paid"], 1750);
    let code = bench.get(&format!("/v1/promotion_codes/{}", text(&code["id"]))).await;
    assert_eq!(code["times_redeemed"], 1);
}

#[tokio::test]
async fn a_coupon_that_is_used_up_or_gone_is_refused() {
    let bench = Bench::start().await;
    let terms = [("percent_off", "10"), ("duration", "once"), ("max_redemptions", "1")];
    let rare = coupon(&bench, &terms).await;
    let row = subscribe(&bench, &[("discounts[0][coupon]", &rare)]).await;
    let path = format!("/v1/subscriptions/{}", text(&row["id"]));
    let (status, body) = bench.ask(Method::POST, &path, &[("discounts[0][coupon]", &rare)]).await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!("coupon_expired")));
    bench.delete(&format!("/v1/coupons/{rare}")).await;
    assert_eq!(bench.ask(Method::GET, &format!("/v1/coupons/{rare}"), &[]).await.0, 404);
    assert_eq!(bench.ask(Method::POST, "/v1/coupons", &[("percent_off", "101")]).await.0, 400);
}

#[tokio::test]
async fn a_payment_link_sells_without_saying_to_whom() {
    let bench = Bench::start().await;
    let form = [("product_data[name]", "500 credits"), ("unit_amount", "999"), ("currency", "usd")];
    let pack = text(&bench.post("/v1/prices", &form).await["id"]).to_owned();
    let (_, link) = bench.control("payment_links", json!({ "items": [[pack, 2]] })).await;
    let path = text(&link["url"]).replace(&bench.sandbox.url(), "");
    let (status, page) = bench.page(&format!("{path}?client_reference_id=ada")).await;
    assert!(status == 200 && page.contains("19.98 USD"), "{page}");
    let session = bench.get("/v1/checkout/sessions").await["data"][0].clone();
    assert_eq!((&session["payment_link"], &session["client_reference_id"]), (&link["id"], &json!("ada")));
    assert_eq!(session["metadata"], json!({}));
    let pay = format!("checkout/{}/pay", text(&session["id"]));
    bench.control(&pay, json!({ "card": "pm_card_visa", "email": "ada@example.com" })).await;
    let items = bench.get(&format!("/v1/checkout/sessions/{}/line_items", text(&session["id"]))).await;
    assert_eq!((&items["data"][0]["price"]["id"], &items["data"][0]["quantity"]), (&json!(pack), &json!(2)));
}

/// What would be an error page to everybody who opens it is refused to the shop.
#[tokio::test]
async fn a_payment_link_that_sells_nothing_is_not_made() {
    let bench = Bench::start().await;
    let price = bench.price("Basic", "999").await;
    let archived = bench.price("Old", "999").await;
    bench.post(&format!("/v1/prices/{archived}"), &[("active", "false")]).await;
    for items in [
        json!([]),
        json!([["price_unknown", 1]]),
        json!([[archived, 1]]),
        json!([[price, 0]]),
        json!([[price, -1]]),
        json!([[price, 1_000_000]]),
        json!([[price, 1], [price, 0]]),
    ] {
        let (status, refused) = bench.control("payment_links", json!({ "items": items })).await;
        assert!(status == 400 && refused["error"]["param"].is_string(), "{items}: {refused}");
    }
    assert_eq!(bench.control("payment_links", json!({ "items": [[price, 1]] })).await.0, 200);
}

#[tokio::test]
async fn a_quantity_can_only_be_chosen_between_a_least_and_a_larger_most() {
    let bench = Bench::start().await;
    let price = bench.price("Basic", "999").await;
    for (minimum, maximum) in [("5", "2"), ("-1", "2"), ("1", "1000000")] {
        let form = [
            ("mode", "subscription"),
            ("line_items[0][price]", price.as_str()),
            ("line_items[0][quantity]", "1"),
            ("line_items[0][adjustable_quantity][enabled]", "true"),
            ("line_items[0][adjustable_quantity][minimum]", minimum),
            ("line_items[0][adjustable_quantity][maximum]", maximum),
            ("success_url", "https://example.com"),
        ];
        let (status, refused) = bench.ask(Method::POST, "/v1/checkout/sessions", &form).await;
        let param = json!("line_items[0][adjustable_quantity]");
        assert_eq!((status, &refused["error"]["param"]), (400, &param), "{minimum} {maximum}: {refused}");
    }
}

#[tokio::test]
async fn a_plan_and_a_pack_are_paid_in_one_checkout_and_the_quantity_can_be_changed() {
    let bench = Bench::start().await;
    let plan = bench.price("Creator", "1999").await;
    let form = [("product_data[name]", "500 credits"), ("unit_amount", "999"), ("currency", "usd")];
    let pack = text(&bench.post("/v1/prices", &form).await["id"]).to_owned();
    let form = [
        ("mode", "subscription"),
        ("line_items[0][price]", plan.as_str()),
        ("line_items[0][quantity]", "1"),
        ("line_items[1][price]", &pack),
        ("line_items[1][quantity]", "1"),
        ("line_items[1][adjustable_quantity][enabled]", "true"),
        ("line_items[1][adjustable_quantity][maximum]", "5"),
        ("success_url", "https://example.com"),
    ];
    let session = bench.post("/v1/checkout/sessions", &form).await;
    let pay = format!("checkout/{}/pay", text(&session["id"]));
    let much = json!({ "card": "pm_card_visa", "email": "a@example.com", "quantities": [1, 6] });
    assert_eq!(bench.control(&pay, much).await.0, 400);
    let (_, paid) = bench
        .control(&pay, json!({ "card": "pm_card_visa", "email": "a@example.com", "quantities": [1, 3] }))
        .await;
    assert_eq!(paid["amount_total"], 1999 + 3 * 999);
    let invoice = bench.get(&format!("/v1/invoices/{}", text(&paid["invoice"]))).await;
    assert_eq!(invoice["amount_paid"], 1999 + 3 * 999, "the pack is on the first invoice");
    let row = bench.get(&format!("/v1/subscriptions/{}", text(&paid["subscription"]))).await;
    assert_eq!(row["items"]["data"].as_array().unwrap().len(), 1);
    bench.advance("2026-03-01T00:00:00Z").await;
    assert_eq!(latest(&bench, &row).await["total"], 1999);
}
