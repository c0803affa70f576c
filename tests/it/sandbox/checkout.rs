//! Can a person buy on the page, and what follows?

use serde_json::json;

use super::{Bench, text};

/// A session of a subscription, and its page.
async fn session(bench: &Bench) -> String {
    let price = bench.price("Basic <b>", "999").await;
    let session = bench
        .post(
            "/v1/checkout/sessions",
            &[
                ("mode", "subscription"),
                ("line_items[0][price]", &price),
                ("line_items[0][quantity]", "1"),
                ("success_url", "https://example.com/done?session={CHECKOUT_SESSION_ID}"),
                ("cancel_url", "https://example.com/back"),
                ("client_reference_id", "acme"),
                ("subscription_data[metadata][account_id]", "acme"),
            ],
        )
        .await;
    assert_eq!(session["url"], format!("{}/checkout/{}", bench.sandbox.url(), text(&session["id"])));
    text(&session["id"]).to_owned()
}

fn card(number: &str) -> [(&str, &str); 4] {
    [("email", "ada@example.com"), ("number", number), ("expiry", "12/34"), ("cvc", "123")]
}

#[tokio::test]
async fn a_person_pays_and_has_a_subscription() {
    let bench = Bench::start().await;
    let id = session(&bench).await;
    let page = format!("/checkout/{id}");
    let (status, html) = bench.page(&page).await;
    assert_eq!(status, 200);
    assert!(html.contains("Basic &lt;b&gt;") && !html.contains("Basic <b>"), "names are escaped");
    assert!(html.contains("9.99 USD") && html.contains("not Stripe"), "{html}");
    let (status, leads, _) = bench.submit(&page, &card("4242 4242 4242 4242")).await;
    assert_eq!((status, leads), (303, Some(format!("https://example.com/done?session={id}"))));

    let done =
        bench.get(&format!("/v1/checkout/sessions/{id}?expand[]=subscription&expand[]=line_items")).await;
    assert_eq!((&done["status"], &done["payment_status"]), (&json!("complete"), &json!("paid")));
    assert_eq!(done["subscription"]["status"], "active");
    assert_eq!(done["subscription"]["metadata"]["account_id"], "acme");
    assert_eq!(done["line_items"]["data"][0]["quantity"], 1);
    assert_eq!(done["customer_details"]["email"], "ada@example.com");
    let completed = bench.told("checkout.session.completed").await;
    assert_eq!(completed["data"]["object"]["client_reference_id"], "acme");
    let types = bench.receiver.types();
    for kind in
        ["customer.created", "payment_method.attached", "customer.subscription.created", "invoice.paid"]
    {
        assert!(types.iter().any(|other| other == kind), "{kind}: {types:?}");
    }
    let (_, _, again) = bench.submit(&page, &card("4242424242424242")).await;
    assert!(again.contains("not open any more"), "{again}");
}

#[tokio::test]
async fn a_customer_without_an_address_gets_the_one_that_is_typed_and_keeps_one_that_is_known() {
    let bench = Bench::start().await;
    let price = bench.price("Basic", "999").await;
    for (known, expected) in [(None, "ada@example.com"), (Some("bob@example.com"), "bob@example.com")] {
        let given: Vec<(&str, &str)> = known.map(|email| ("email", email)).into_iter().collect();
        let customer = bench.post("/v1/customers", &given).await;
        let customer = text(&customer["id"]);
        let session = [
            ("mode", "subscription"),
            ("customer", customer),
            ("line_items[0][price]", &price),
            ("line_items[0][quantity]", "1"),
            ("success_url", "https://example.com/done"),
        ];
        let session = bench.post("/v1/checkout/sessions", &session).await;
        bench.submit(&format!("/checkout/{}", text(&session["id"])), &card("4242424242424242")).await;
        let customer = bench.get(&format!("/v1/customers/{customer}")).await;
        assert_eq!(customer["email"], expected);
    }
}

#[tokio::test]
async fn a_declined_card_says_why_and_leaves_nothing() {
    let bench = Bench::start().await;
    let id = session(&bench).await;
    let page = format!("/checkout/{id}");
    for (number, why) in [
        ("4000000000000002", "Your card was declined."),
        ("4000000000009995", "insufficient funds"),
        ("4000000000000069", "has expired"),
        ("4000000000000341", "Your card was declined."),
        ("1234", "number is incorrect"),
    ] {
        let (status, leads, html) = bench.submit(&page, &card(number)).await;
        assert_eq!((status, leads), (200, None), "{number}");
        assert!(html.contains("role=\"alert\"") && html.contains(why), "{number}: {html}");
    }
    let open = bench.get(&format!("/v1/checkout/sessions/{id}")).await;
    assert_eq!((&open["status"], &open["payment_status"]), (&json!("open"), &json!("unpaid")));
    let none = bench.get("/v1/subscriptions?status=all").await;
    assert_eq!(none["data"], json!([]), "a failed try leaves no subscription");
}

#[tokio::test]
async fn a_card_that_needs_authentication_asks_first() {
    let bench = Bench::start().await;
    let id = session(&bench).await;
    let page = format!("/checkout/{id}");
    let (_, leads, html) = bench.submit(&page, &card("4000002500003155")).await;
    assert!(leads.is_none() && html.contains("Complete authentication"), "{html}");
    let mut no = card("4000002500003155").to_vec();
    no.push(("bank", "no"));
    let (_, leads, html) = bench.submit(&page, &no).await;
    assert!(leads.is_none() && html.contains("could not confirm"), "{html}");
    let mut yes = card("4000002500003155").to_vec();
    yes.push(("bank", "yes"));
    let (status, leads, _) = bench.submit(&page, &yes).await;
    assert!(status == 303 && leads.is_some());
    // It was set up by that, so renewals go through.
    bench.advance("32 days").await;
    let invoices = bench.get("/v1/invoices").await;
    let statuses: Vec<&str> =
        invoices["data"].as_array().unwrap().iter().map(|row| text(&row["status"])).collect();
    assert_eq!(statuses, ["paid", "paid"]);
}

#[tokio::test]
async fn a_bank_debit_is_paid_days_later() {
    let bench = Bench::start().await;
    let price = bench
        .post("/v1/prices", &[("product_data[name]", "Pack"), ("unit_amount", "2000"), ("currency", "usd")])
        .await;
    for (number, fate) in [("000123456789", "succeeded"), ("000111111116", "failed")] {
        let form = [
            ("mode", "payment"),
            ("line_items[0][price]", text(&price["id"])),
            ("line_items[0][quantity]", "2"),
            ("success_url", "https://example.com"),
            ("payment_intent_data[metadata][kind]", "topup"),
        ];
        let session = bench.post("/v1/checkout/sessions", &form).await;
        let path = format!("/v1/checkout/sessions/{}", text(&session["id"]));
        bench.submit(&format!("/checkout/{}", text(&session["id"])), &card(number)).await;
        let waiting = bench.get(&path).await;
        assert_eq!((&waiting["status"], &waiting["payment_status"]), (&json!("complete"), &json!("unpaid")));
        bench.advance("6 days").await;
        let told = bench.told(&format!("checkout.session.async_payment_{fate}")).await;
        assert_eq!(told["data"]["object"]["id"], session["id"]);
        let intent = bench.get(&format!("/v1/payment_intents/{}", text(&waiting["payment_intent"]))).await;
        assert_eq!(intent["metadata"]["kind"], "topup");
        assert_eq!(intent["amount_received"], if fate == "succeeded" { 4000 } else { 0 });
    }
}

#[tokio::test]
async fn a_session_that_nobody_pays_expires() {
    let bench = Bench::start().await;
    let id = session(&bench).await;
    bench.advance("25 hours").await;
    assert_eq!(bench.get(&format!("/v1/checkout/sessions/{id}")).await["status"], "expired");
    bench.told("checkout.session.expired").await;
    let (_, html) = bench.page(&format!("/checkout/{id}")).await;
    assert!(html.contains("has expired"), "{html}");
}

#[tokio::test]
async fn a_card_can_be_kept_without_being_charged() {
    let bench = Bench::start().await;
    let customer = bench.customer("pm_card_visa").await;
    let form = [
        ("mode", "setup"),
        ("customer", customer.as_str()),
        ("currency", "usd"),
        ("success_url", "https://example.com"),
    ];
    let session = bench.post("/v1/checkout/sessions", &form).await;
    bench.submit(&format!("/checkout/{}", text(&session["id"])), &card("5555555555554444")).await;
    let done = bench.get(&format!("/v1/checkout/sessions/{}", text(&session["id"]))).await;
    let intent = bench.get(&format!("/v1/setup_intents/{}", text(&done["setup_intent"]))).await;
    assert_eq!(intent["status"], "succeeded");
    let methods = bench.get(&format!("/v1/customers/{customer}/payment_methods")).await;
    assert_eq!(methods["data"][0]["card"]["brand"], "mastercard");
}

#[tokio::test]
async fn an_address_is_fixed_only_if_it_is_known_and_the_security_code_is_digits() {
    let bench = Bench::start().await;
    let price = bench.price("Basic", "999").await;
    for (known, is_fixed) in [(None, false), (Some("bob@example.com"), true)] {
        let given: Vec<(&str, &str)> = known.map(|email| ("email", email)).into_iter().collect();
        let customer = bench.post("/v1/customers", &given).await;
        let session = [
            ("mode", "subscription"),
            ("customer", text(&customer["id"])),
            ("line_items[0][price]", &price),
            ("line_items[0][quantity]", "1"),
            ("success_url", "https://example.com/done"),
        ];
        let session = bench.post("/v1/checkout/sessions", &session).await;
        let page = format!("/checkout/{}", text(&session["id"]));
        let (_, html) = bench.page(&page).await;
        assert_eq!(html.contains("readonly"), is_fixed, "{html}");
        assert!(html.contains("pattern=\"[0-9]{3,4}\""), "{html}");
        for code in ["", "12", "12345", "12a"] {
            let mut wrong = card("4242424242424242");
            wrong[3].1 = code;
            let (status, leads, html) = bench.submit(&page, &wrong).await;
            assert_eq!((status, leads), (200, None), "{code}");
            assert!(html.contains("security code is incomplete"), "{code}: {html}");
        }
        let mut american = card("4242424242424242");
        american[3].1 = "1234";
        assert_eq!(bench.submit(&page, &american).await.0, 303);
    }
}
