//! Do the overview and the portal show and do what a person expects?

use reqwest::Method;
use serde_json::json;

use super::{Bench, text};

#[tokio::test]
async fn the_overview_shows_everything_and_moves_the_clock() {
    let bench = Bench::start().await;
    let customer = bench.customer("pm_card_visa").await;
    let price = bench.price("Basic", "999").await;
    let form = [("customer", customer.as_str()), ("items[0][price]", &price)];
    let subscription = bench.post("/v1/subscriptions", &form).await;
    bench.told("customer.subscription.created").await;
    let (status, html) = bench.page("/").await;
    assert_eq!(status, 200);
    for shown in
        [customer.as_str(), text(&subscription["id"]), "2026-01-31 12:00:00", "Send again", "not Stripe"]
    {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    assert!(html.contains("lang=\"en\"") && html.contains("width=device-width"));
    let (status, leads, _) = bench.submit("/clock", &[("advance", "1 month")]).await;
    assert_eq!((status, leads.as_deref()), (303, Some("/")));
    assert!(bench.page("/").await.1.contains("2026-02-28 12:00:00"));
    let event = bench.told("customer.subscription.created").await;
    let before = bench.receiver.all().len();
    bench.submit(&format!("/resend/{}", text(&event["id"])), &[]).await;
    bench.receiver.wait("the event again", |all| all.len() > before).await;
    let (status, leads, html) = bench.submit("/clock", &[("advance", "-1 month")]).await;
    assert!(status == 400 && leads.is_none() && html.contains("role=\"alert\""));
}

#[tokio::test]
async fn the_portal_changes_cancels_and_takes_another_card() {
    let bench = Bench::start().await;
    let customer = bench.customer("pm_card_visa").await;
    let (basic, creator) = (bench.price("Basic", "999").await, bench.price("Creator", "1999").await);
    let form = [("customer", customer.as_str()), ("items[0][price]", &basic)];
    let id = text(&bench.post("/v1/subscriptions", &form).await["id"]).to_owned();
    let path = format!("/v1/subscriptions/{id}");
    let session = bench
        .post(
            "/v1/billing_portal/sessions",
            &[("customer", &customer), ("return_url", "https://example.com")],
        )
        .await;
    let page = text(&session["url"]).replace(&bench.sandbox.url(), "");
    let (status, html) = bench.page(&page).await;
    assert!(status == 200 && html.contains("Basic") && html.contains("Cancel subscription"), "{html}");

    let (_, _, html) =
        bench.submit(&page, &[("do", "change"), ("subscription", &id), ("price", &creator)]).await;
    assert!(html.contains("Your plan was changed."), "{html}");
    assert_eq!(bench.get(&path).await["items"]["data"][0]["price"]["id"], json!(creator));
    bench.submit(&page, &[("do", "cancel"), ("subscription", &id), ("feedback", "too_expensive")]).await;
    let row = bench.get(&path).await;
    // Flexible billing: the flag stays false, the date says it.
    assert_eq!((&row["cancel_at_period_end"], row["cancel_at"].is_i64()), (&json!(false), true));
    assert_eq!(row["cancellation_details"]["feedback"], "too_expensive");
    let (_, _, html) = bench.submit(&page, &[("do", "withdraw"), ("subscription", &id)]).await;
    assert!(html.contains("goes on"), "{html}");
    assert!(bench.get(&path).await["cancel_at"].is_null());
    let (_, _, html) = bench.submit(&page, &[("do", "card"), ("number", "4000000000000002")]).await;
    assert!(html.contains("declined"), "{html}");
    bench.submit(&page, &[("do", "card"), ("number", "5555555555554444")]).await;
    let method = text(&bench.get(&path).await["default_payment_method"]).to_owned();
    assert_eq!(bench.get(&format!("/v1/payment_methods/{method}")).await["card"]["brand"], "mastercard");
    let (status, _) = bench.page("/portal/guess").await;
    assert_eq!(status, 404);
}

/// The page was opened while the subscription ran.
#[tokio::test]
async fn the_portal_confirms_nothing_of_what_has_ended() {
    let bench = Bench::start().await;
    let customer = bench.customer("pm_card_visa").await;
    let (basic, creator) = (bench.price("Basic", "999").await, bench.price("Creator", "1999").await);
    let form = [("customer", customer.as_str()), ("items[0][price]", &basic)];
    let subscription = bench.post("/v1/subscriptions", &form).await;
    let (id, item) = (text(&subscription["id"]), text(&subscription["items"]["data"][0]["id"]));
    let session = bench
        .post(
            "/v1/billing_portal/sessions",
            &[
                ("customer", &customer),
                ("return_url", "https://example.com"),
                ("flow_data[type]", "subscription_update_confirm"),
                ("flow_data[subscription_update_confirm][subscription]", id),
                ("flow_data[subscription_update_confirm][items][0][id]", item),
                ("flow_data[subscription_update_confirm][items][0][price]", &creator),
            ],
        )
        .await;
    let page = text(&session["url"]).replace(&bench.sandbox.url(), "");
    bench.delete(&format!("/v1/subscriptions/{id}")).await;
    let paid = bench.get("/v1/invoices?status=paid").await["data"].as_array().unwrap().len();
    let (status, leads, html) = bench.submit(&page, &[("do", "confirm")]).await;
    assert!(status == 200 && leads.is_none() && html.contains("role=\"alert\""), "{status} {html}");
    let now = bench.get("/v1/invoices?status=paid").await["data"].as_array().unwrap().len();
    let ended = bench.get(&format!("/v1/subscriptions/{id}")).await;
    assert_eq!((now, &ended["items"]["data"][0]["price"]["id"]), (paid, &json!(basic)));
}

#[tokio::test]
async fn an_invoice_is_read_on_its_page_and_as_a_file_once_it_is_final() {
    let bench = Bench::start().await;
    let customer = bench.customer("pm_card_visa").await;
    let price = bench.price("Basic (10 % more)", "999").await;
    let form = [("customer", customer.as_str()), ("items[0][price]", &price)];
    bench.post("/v1/subscriptions", &form).await;
    let invoice = bench.get("/v1/invoices").await["data"][0].clone();
    let place = |url: &str| url.replace(&bench.sandbox.url(), "");
    let (status, html) = bench.page(&place(text(&invoice["hosted_invoice_url"]))).await;
    assert!(status == 200 && html.contains("This invoice is paid.") && html.contains("9.99 USD"), "{html}");
    assert!(html.contains("Basic (10 % more)") && html.contains(text(&invoice["number"])), "{html}");
    let (status, file) = bench.page(&place(text(&invoice["invoice_pdf"]))).await;
    assert!(status == 200 && file.contains("Basic \\(10 % more\\)"), "{file}");
    // Each object begins where the table of places says.
    let (_, table) = file.split_once("xref\n0 5\n").expect("a table of places");
    for (line, number) in table.lines().skip(1).take(4).zip(1..) {
        let at: usize = line[..10].parse().unwrap();
        assert!(file[at..].starts_with(&format!("{number} 0 obj")), "{file}");
    }
    bench.control("clock", json!({ "advance": "2026-02-28T12:01:00Z" })).await;
    let draft = bench.get("/v1/invoices").await["data"][0].clone();
    assert_eq!((&draft["status"], draft["hosted_invoice_url"].is_null()), (&json!("draft"), true));
    let (status, _) = bench.page(&format!("/invoices/{}", text(&draft["id"]))).await;
    assert_eq!(status, 404, "a draft is nobody's to see");
}

/// What the second column of the page's table of cards calls them, and their numbers.
fn cards() -> Vec<(String, String)> {
    let page = include_str!("../../../docs/SANDBOX.md");
    let table =
        page.split_once("| number |").unwrap().1.lines().skip(2).take_while(|line| line.starts_with('|'));
    let of_row = |row: &str| -> Vec<(String, String)> {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let tokens = cells[2].split(", ").map(|token| token.trim_matches('`').to_owned());
        cells[1].split(", ").map(str::to_owned).zip(tokens).collect()
    };
    table.flat_map(of_row).collect()
}

#[tokio::test]
async fn each_card_of_the_table_can_be_attached_and_is_on_the_page_to_pay_on() {
    let bench = Bench::start().await;
    let price = bench.price("Basic", "999").await;
    let form = [
        ("mode", "subscription"),
        ("line_items[0][price]", price.as_str()),
        ("line_items[0][quantity]", "1"),
        ("success_url", "https://example.com"),
    ];
    let session = bench.post("/v1/checkout/sessions", &form).await;
    let (_, html) = bench.page(&format!("/checkout/{}", text(&session["id"]))).await;
    let cards = cards();
    assert!(cards.len() > 15, "{cards:?}");
    for (number, token) in cards {
        assert!(html.contains(&format!("<code>{}</code>", number.replace(' ', ""))), "{number}");
        let customer = bench.post("/v1/customers", &[]).await;
        let attach = format!("/v1/payment_methods/{token}/attach");
        let (status, answer) = bench.ask(Method::POST, &attach, &[("customer", text(&customer["id"]))]).await;
        // What the bank refuses is not attached, and says why.
        assert!(status == 200 || (status == 402 && token.contains("Declined")), "{token}: {answer}");
    }
}
