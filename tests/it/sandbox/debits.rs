//! Do bank debits take their time, and are subscriptions what Stripe makes of them meanwhile and afterwards?

use serde_json::{Value, json};

use super::{Bench, text};

async fn subscribe(bench: &Bench, method: &str, terms: &[(&str, &str)]) -> (String, Value) {
    let customer = bench.customer(method).await;
    let price = bench.price("Basic", "999").await;
    let mut form = vec![("customer", customer.as_str()), ("items[0][price]", &price)];
    form.extend_from_slice(terms);
    let row = bench.post("/v1/subscriptions", &form).await;
    (format!("/v1/subscriptions/{}", text(&row["id"])), row)
}

async fn invoice(bench: &Bench, path: &str) -> Value {
    let row = bench.get(path).await;
    bench.get(&format!("/v1/invoices/{}", text(&row["latest_invoice"]))).await
}

/// 31 January is a Saturday: four business days later it is Thursday, fourteen later it is Thursday again.
#[tokio::test]
async fn a_first_debit_is_trusted_and_paid_days_later() {
    for (method, before, after) in [
        ("pm_usBankAccount_success", "4 days", "2 days"),
        ("pm_bacsDebit_success", "4 days", "2 days"),
        ("pm_success_de", "18 days", "2 days"),
    ] {
        let bench = Bench::start().await;
        let (path, row) = subscribe(&bench, method, &[]).await;
        assert_eq!(row["status"], "active", "before anything is paid");
        bench.advance(before).await;
        assert_eq!(invoice(&bench, &path).await["status"], "open", "{method}");
        bench.told("payment_intent.processing").await;
        bench.advance(after).await;
        assert_eq!(invoice(&bench, &path).await["status"], "paid", "{method}");
        assert_eq!(bench.get(&path).await["status"], "active");
    }
}

#[tokio::test]
async fn a_debit_takes_its_business_days() {
    for (method, day) in
        [("pm_usBankAccount_success", "02-05"), ("pm_bacsDebit_success", "02-05"), ("pm_success_de", "02-19")]
    {
        let bench = Bench::start().await;
        subscribe(&bench, method, &[]).await;
        bench.advance("20 days").await;
        let paid = bench.get("/v1/events?type=payment_intent.succeeded").await;
        let at = paid["data"][0]["created"].as_i64().unwrap();
        let at = chrono::DateTime::from_timestamp(at, 0).unwrap();
        assert_eq!(at.format("%m-%d").to_string(), day, "{method}");
    }
}

#[tokio::test]
async fn a_first_debit_that_fails_voids_its_invoice_and_leaves_the_subscription_active() {
    let bench = Bench::start().await;
    let (path, _) = subscribe(&bench, "pm_usBankAccount_failure", &[]).await;
    bench.advance("6 days").await;
    assert_eq!(invoice(&bench, &path).await["status"], "void");
    assert_eq!(bench.get(&path).await["status"], "active");
    bench.told("invoice.payment_failed").await;
    bench.told("invoice.voided").await;
}

#[tokio::test]
async fn a_debit_can_be_decided_at_once() {
    let bench = Bench::start().await;
    let (path, _) = subscribe(&bench, "pm_usBankAccount_success", &[]).await;
    let payment = bench.told("payment_intent.processing").await["data"]["object"]["id"].clone();
    let settle = format!("payment_intents/{}/settle", text(&payment));
    let (status, settled) = bench.control(&settle, json!({})).await;
    assert_eq!((status, &settled["status"]), (200, &json!("succeeded")));
    assert_eq!(invoice(&bench, &path).await["status"], "paid");
    assert_eq!(bench.control(&settle, json!({})).await.0, 400, "it is not on its way any more");
}

#[tokio::test]
async fn a_first_debit_can_be_waited_for() {
    for (method, status) in
        [("pm_usBankAccount_success", "active"), ("pm_usBankAccount_failure", "incomplete_expired")]
    {
        let bench = Bench::start().await;
        bench.control("settings", json!({ "first_debit": "incomplete", "debit_days": 2 })).await;
        let (path, row) = subscribe(&bench, method, &[]).await;
        assert_eq!(row["status"], "incomplete");
        bench.advance("2 days").await;
        assert_eq!(bench.get(&path).await["status"], "incomplete", "it is on its way");
        bench.advance("1 day").await;
        assert_eq!(bench.get(&path).await["status"], status);
    }
}

#[tokio::test]
async fn a_renewal_by_debit_is_active_until_it_fails_and_is_tried_again() {
    let bench = Bench::start().await;
    let (path, row) = subscribe(&bench, "pm_card_visa", &[]).await;
    let attach = "/v1/payment_methods/pm_usBankAccount_failure/attach";
    let debit = bench.post(attach, &[("customer", text(&row["customer"]))]).await;
    bench.post(&path, &[("default_payment_method", text(&debit["id"]))]).await;
    bench.advance("2026-03-03T00:00:00Z").await;
    assert_eq!(bench.get(&path).await["status"], "active");
    bench.advance("2026-03-07T00:00:00Z").await;
    assert_eq!(bench.get(&path).await["status"], "past_due");
    assert!(invoice(&bench, &path).await["next_payment_attempt"].is_i64());
}

#[tokio::test]
async fn an_unpaid_invoice_that_is_given_up_leaves_the_subscription_active() {
    for what in ["void", "mark_uncollectible"] {
        let bench = Bench::start().await;
        let (path, row) = subscribe(&bench, "pm_card_visa", &[]).await;
        let attach = "/v1/payment_methods/pm_card_chargeCustomerFail/attach";
        let bad = bench.post(attach, &[("customer", text(&row["customer"]))]).await;
        bench.post(&path, &[("default_payment_method", text(&bad["id"]))]).await;
        bench.advance("29 days").await;
        assert_eq!(bench.get(&path).await["status"], "past_due");
        let unpaid = text(&invoice(&bench, &path).await["id"]).to_owned();
        bench.post(&format!("/v1/invoices/{unpaid}/{what}"), &[]).await;
        assert_eq!(bench.get(&path).await["status"], "active", "{what}");
    }
}

#[tokio::test]
async fn a_pause_of_collection_lets_the_balance_pay_first() {
    for (balance, status) in [("-999", "paid"), ("-500", "uncollectible")] {
        let bench = Bench::start().await;
        let (path, row) = subscribe(&bench, "pm_card_visa", &[]).await;
        bench.post(&path, &[("pause_collection[behavior]", "mark_uncollectible")]).await;
        let customer = format!("/v1/customers/{}", text(&row["customer"]));
        bench.post(&customer, &[("balance", balance)]).await;
        bench.advance("29 days").await;
        let invoice = invoice(&bench, &path).await;
        assert_eq!((&invoice["status"], &invoice["ending_balance"]), (&json!(status), &json!(0)));
        assert_eq!(bench.get(&customer).await["balance"], 0);
        if status == "uncollectible" {
            // What it paid of an invoice that is void is there again.
            bench.post(&format!("/v1/invoices/{}/void", text(&invoice["id"])), &[]).await;
            assert_eq!(bench.get(&customer).await["balance"], -500);
        }
    }
}
