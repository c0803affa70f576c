//! Does a subscription stand still and go on as at Stripe, and do changes wait for their money?

use serde_json::{Value, json};

use super::{Bench, text};

/// How long a resumption, or a change that is to be paid first, may take.
const PENDING_S: i64 = 23 * 3_600;

struct Held {
    bench: Bench,
    path: String,
    customer: String,
    item: String,
}

impl Held {
    async fn start() -> Self {
        let bench = Bench::start().await;
        let customer = bench.customer("pm_card_visa").await;
        let price = bench.price("Creator", "1999").await;
        let form = [("customer", customer.as_str()), ("items[0][price]", &price)];
        let row = bench.post("/v1/subscriptions", &form).await;
        let path = format!("/v1/subscriptions/{}", text(&row["id"]));
        let item = text(&row["items"]["data"][0]["id"]).to_owned();
        Self { bench, path, customer, item }
    }

    async fn row(&self) -> Value {
        self.bench.get(&self.path).await
    }

    async fn invoice(&self) -> Value {
        self.bench.get(&format!("/v1/invoices/{}", text(&self.row().await["latest_invoice"]))).await
    }

    async fn pay_with(&self, method: &str) {
        let attach = format!("/v1/payment_methods/{method}/attach");
        let method = self.bench.post(&attach, &[("customer", &self.customer)]).await;
        self.bench.post(&self.path, &[("default_payment_method", text(&method["id"]))]).await;
    }
}

#[tokio::test]
async fn a_pause_ends_the_period_and_gives_back_what_is_not_used() {
    let held = Held::start().await;
    held.bench.advance("14 days").await;
    let paused = held.bench.post(&format!("{}/pause", held.path), &[("invoicing_behavior", "invoice")]).await;
    assert_eq!(paused["status"], "paused");
    assert_eq!(paused["items"]["data"][0]["current_period_end"], 1_769_860_800 + 14 * 86_400);
    let invoice = held.invoice().await;
    assert_eq!((&invoice["total"], &invoice["status"]), (&json!(-1000), &json!("paid")));
    held.bench.told("customer.subscription.paused").await;
    let told = held.bench.told("customer.subscription.updated").await;
    assert_eq!(told["data"]["previous_attributes"]["status"], "active");
}

#[tokio::test]
async fn a_pause_that_asks_for_no_credit_gives_none() {
    let held = Held::start().await;
    let first = held.invoice().await;
    held.bench.advance("14 days").await;
    let none = [("bill_for[unused_time_from][type]", "none"), ("invoicing_behavior", "invoice")];
    held.bench.post(&format!("{}/pause", held.path), &none).await;
    assert_eq!(held.invoice().await["id"], first["id"]);
}

#[tokio::test]
async fn a_resumption_is_paid_before_the_subscription_goes_on() {
    let held = Held::start().await;
    held.bench.post(&format!("{}/pause", held.path), &[("bill_for[unused_time_from][type]", "none")]).await;
    held.bench.advance("2 months").await;
    held.pay_with("pm_card_chargeCustomerFail").await;
    let success = [("payment_behavior", "resume_on_payment_success")];
    let waiting = held.bench.post(&format!("{}/resume", held.path), &success).await;
    assert_eq!(waiting["status"], "paused");
    let until = held.bench.clock.now().seconds() + PENDING_S;
    assert_eq!(waiting["pending_update"]["expires_at"], until);
    let invoice = text(&held.bench.get("/v1/invoices?status=open").await["data"][0]["id"]).to_owned();
    held.pay_with("pm_card_visa").await;
    held.bench.post(&format!("/v1/invoices/{invoice}/pay"), &[]).await;
    let row = held.row().await;
    assert_eq!((&row["status"], &row["pending_update"]), (&json!("active"), &Value::Null));
    held.bench.told("customer.subscription.resumed").await;
    let types = held.bench.receiver.types();
    let place = |kind: &str| types.iter().rposition(|other| other == kind).unwrap();
    assert!(place("invoice.paid") < place("customer.subscription.resumed"), "{types:?}");
}

#[tokio::test]
async fn a_resumption_that_is_not_paid_is_void_after_23_hours() {
    let held = Held::start().await;
    held.bench.post(&format!("{}/pause", held.path), &[("bill_for[unused_time_from][type]", "none")]).await;
    held.bench.advance("2 months").await;
    held.pay_with("pm_card_chargeCustomerFail").await;
    let success = [("payment_behavior", "resume_on_payment_success")];
    held.bench.post(&format!("{}/resume", held.path), &success).await;
    held.bench.advance(&format!("{} seconds", PENDING_S - 1)).await;
    assert!(held.row().await["pending_update"].is_object(), "it can still be paid");
    held.bench.advance("1 second").await;
    assert_eq!(
        (&held.row().await["status"], &held.row().await["pending_update"]),
        (&json!("paused"), &Value::Null)
    );
    assert_eq!(held.bench.get("/v1/invoices?status=void").await["data"].as_array().unwrap().len(), 1);
    let attempted = held.bench.post(&format!("{}/resume", held.path), &[]).await;
    assert_eq!(attempted["status"], "past_due", "as Stripe does where nothing is said");
}

#[tokio::test]
async fn a_failed_payment_can_pause_until_it_is_paid() {
    for (setting, after, why) in
        [("pause", "52 days", "final_payment_failure"), ("pause_at_once", "29 days", "first_payment_failure")]
    {
        let held = Held::start().await;
        held.bench.control("settings", json!({ "after_retries": setting })).await;
        held.pay_with("pm_card_chargeCustomerFail").await;
        held.bench.advance(after).await;
        let row = held.row().await;
        assert_eq!(row["status"], "paused", "{setting}");
        assert_eq!(row["status_details"]["paused"]["subscription"]["type"], why);
        let invoice = held.invoice().await;
        assert_eq!(invoice["status"], "open");
        held.pay_with("pm_card_visa").await;
        held.bench.post(&format!("/v1/invoices/{}/pay", text(&invoice["id"])), &[]).await;
        assert_eq!(held.row().await["status"], "active", "{setting}");
    }
}

#[tokio::test]
async fn a_change_can_wait_for_its_money() {
    for paid in [true, false] {
        let held = Held::start().await;
        held.pay_with("pm_card_chargeCustomerFail").await;
        let form = [
            ("items[0][id]", held.item.as_str()),
            ("items[0][quantity]", "2"),
            ("proration_behavior", "always_invoice"),
            ("payment_behavior", "pending_if_incomplete"),
        ];
        let row = held.bench.post(&held.path, &form).await;
        assert_eq!((&row["status"], &row["items"]["data"][0]["quantity"]), (&json!("active"), &json!(1)));
        assert_eq!(row["pending_update"]["subscription_items"][0]["quantity"], 2);
        if paid {
            held.pay_with("pm_card_visa").await;
            let invoice = text(&held.bench.get("/v1/invoices?status=open").await["data"][0]["id"]).to_owned();
            held.bench.post(&format!("/v1/invoices/{invoice}/pay"), &[]).await;
            held.bench.told("customer.subscription.pending_update_applied").await;
        } else {
            held.bench.advance(&format!("{} seconds", PENDING_S - 1)).await;
            assert!(held.row().await["pending_update"].is_object(), "it can still be paid");
            held.bench.advance("1 second").await;
            held.bench.told("customer.subscription.pending_update_expired").await;
        }
        let row = held.row().await;
        assert_eq!(row["items"]["data"][0]["quantity"], if paid { 2 } else { 1 });
        assert!(row["pending_update"].is_null());
    }
}
