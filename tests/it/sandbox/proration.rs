//! Does money come back as at Stripe? Credits, what they give back, trials, ends inside of a period, and both billing
//! modes.

use serde_json::{Value, json};

use super::{Bench, text};

const DAY_S: i64 = 86_400;

/// A month of 28 days, from 31 January on.
struct Month {
    bench: Bench,
    path: String,
    item: String,
    customer: String,
    basic: String,
    creator: String,
}

impl Month {
    async fn of(terms: &[(&str, &str)]) -> Self {
        let bench = Bench::start().await;
        let customer = bench.customer("pm_card_visa").await;
        let (basic, creator) = (bench.price("Basic", "999").await, bench.price("Creator", "1999").await);
        let mut form = vec![("customer", customer.as_str()), ("items[0][price]", &creator)];
        form.extend_from_slice(terms);
        let made = bench.post("/v1/subscriptions", &form).await;
        let path = format!("/v1/subscriptions/{}", text(&made["id"]));
        let item = text(&made["items"]["data"][0]["id"]).to_owned();
        Self { bench, path, item, customer, basic, creator }
    }

    async fn flexible() -> Self {
        Self::of(&[]).await
    }

    async fn classic() -> Self {
        Self::of(&[("billing_mode[type]", "classic")]).await
    }

    async fn update(&self, form: &[(&str, &str)]) -> Value {
        self.bench.post(&self.path, form).await
    }

    async fn change_to(&self, price: &str, proration: &str) -> Value {
        let form = [
            ("items[0][id]", self.item.as_str()),
            ("items[0][price]", price),
            ("proration_behavior", proration),
        ];
        self.update(&form).await
    }

    async fn row(&self) -> Value {
        self.bench.get(&self.path).await
    }

    async fn invoice(&self) -> Value {
        let row = self.row().await;
        self.bench.get(&format!("/v1/invoices/{}", text(&row["latest_invoice"]))).await
    }

    async fn balance(&self) -> Value {
        self.bench.get(&format!("/v1/customers/{}", self.customer)).await["balance"].clone()
    }
}

fn amounts(invoice: &Value) -> Vec<i64> {
    invoice["lines"]["data"].as_array().unwrap().iter().map(|line| line["amount"].as_i64().unwrap()).collect()
}

/// Whether a line is a proration, and what it gives back.
fn parent(line: &Value) -> (bool, Value) {
    let parent = &line["parent"];
    let details = match text(&parent["type"]) {
        "invoice_item_details" => &parent["invoice_item_details"],
        _ => &parent["subscription_item_details"],
    };
    (details["proration"].as_bool().unwrap(), details["proration_details"]["credited_items"].clone())
}

#[tokio::test]
async fn a_credit_says_what_it_gives_back() {
    for month in [Month::flexible().await, Month::classic().await] {
        let first = month.invoice().await;
        month.bench.advance("14 days").await;
        month.change_to(&month.basic, "always_invoice").await;
        let invoice = month.invoice().await;
        assert_eq!(amounts(&invoice), [-1000, 500]);
        let credited = json!({
            "invoice": first["id"],
            "invoice_line_items": [first["lines"]["data"][0]["id"]],
        });
        assert_eq!(parent(&invoice["lines"]["data"][0]), (true, credited));
        assert_eq!(parent(&invoice["lines"]["data"][1]), (true, Value::Null), "a debit gives nothing back");
        assert_eq!((&invoice["status"], &invoice["total"]), (&json!("paid"), &json!(-500)));
        assert_eq!(month.balance().await, -500);
    }
}

#[tokio::test]
async fn cancelling_now_gives_back_what_is_not_used() {
    let month = Month::flexible().await;
    month.bench.advance("14 days").await;
    let form = [("prorate", "true"), ("invoice_now", "true")];
    let (status, ended) = month.bench.ask(reqwest::Method::DELETE, &month.path, &form).await;
    assert_eq!((status, &ended["status"]), (200, &json!("canceled")));
    let invoice = month.invoice().await;
    assert_eq!(amounts(&invoice), [-1000], "one line alone");
    assert_eq!((&invoice["status"], &invoice["amount_paid"]), (&json!("paid"), &json!(0)));
    assert_eq!(month.balance().await, -1000);
    month.bench.told("invoiceitem.created").await;
    let types = month.bench.receiver.types();
    let place = |kind: &str| types.iter().rposition(|other| other == kind).unwrap();
    assert!(place("customer.subscription.deleted") < place("invoice.created"), "{types:?}");
    assert!(place("invoice.paid") < place("customer.updated"), "{types:?}");
}

#[tokio::test]
async fn what_waited_when_it_was_cancelled_is_asked_for_at_the_end_of_the_period() {
    let month = Month::flexible().await;
    let first = month.invoice().await;
    month.bench.advance("14 days").await;
    month.change_to(&month.basic, "none").await;
    month.change_to(&month.creator, "create_prorations").await;
    let more = [("items[0][id]", month.item.as_str()), ("items[0][quantity]", "2")];
    month.update(&more).await;
    month.bench.delete(&month.path).await;
    month.bench.advance("13 days").await;
    assert_eq!(month.invoice().await["id"], first["id"], "not yet");
    month.bench.advance("2 days").await;
    let invoice = month.invoice().await;
    assert_eq!(amounts(&invoice), [-1000, 1000, -1000, 1999], "each change and what it gave back");
    assert_eq!((&invoice["status"], &invoice["amount_paid"]), (&json!("paid"), &json!(999)));
    assert_eq!(month.row().await["status"], "canceled");
}

#[tokio::test]
async fn an_end_inside_of_the_period_gives_back_what_is_behind_it() {
    for (month, moved) in [(Month::flexible().await, false), (Month::classic().await, true)] {
        let row = month.row().await;
        let end = row["items"]["data"][0]["current_period_end"].as_i64().unwrap();
        let at = (end - 14 * DAY_S).to_string();
        let form = [("cancel_at", at.as_str()), ("proration_behavior", "always_invoice")];
        let row = month.update(&form).await;
        assert_eq!(amounts(&month.invoice().await), [-1000]);
        let period_end = &row["items"]["data"][0]["current_period_end"];
        assert_eq!(*period_end == json!(end - 14 * DAY_S), moved, "the classic mode moves the period's end");
        month.bench.advance("15 days").await;
        assert_eq!(month.row().await["status"], "canceled");
        assert_eq!(month.balance().await, -1000);
    }
}

#[tokio::test]
async fn an_end_that_is_put_off_is_asked_for_again_and_has_credits_of_its_own() {
    let month = Month::flexible().await;
    let end = month.row().await["items"]["data"][0]["current_period_end"].as_i64().unwrap();
    let at = (end - 14 * DAY_S).to_string();
    month.update(&[("cancel_at", &at), ("proration_behavior", "always_invoice")]).await;
    month.update(&[("cancel_at", ""), ("proration_behavior", "always_invoice")]).await;
    assert_eq!(amounts(&month.invoice().await), [1000]);
    month.bench.advance("7 days").await;
    month.change_to(&month.basic, "always_invoice").await;
    // A quarter of the first debit, the half that was asked for again, and three quarters of the new price.
    assert_eq!(amounts(&month.invoice().await), [-500, -1000, 749]);
    let invoice = month.invoice().await;
    let (_, one) = parent(&invoice["lines"]["data"][0]);
    let (_, other) = parent(&invoice["lines"]["data"][1]);
    assert_ne!(one["invoice"], other["invoice"], "one credit for each debit");
}

#[tokio::test]
async fn the_flexible_mode_gives_back_what_was_asked_for_and_the_classic_one_what_it_costs_now() {
    for (month, lines) in [(Month::flexible().await, [-1000, 1000]), (Month::classic().await, [-500, 1000])] {
        month.bench.advance("7 days").await;
        month.change_to(&month.basic, "none").await;
        month.bench.advance("7 days").await;
        month.change_to(&month.creator, "always_invoice").await;
        let invoice = month.invoice().await;
        assert_eq!(amounts(&invoice), lines);
        assert_eq!(invoice["status"], "paid");
    }
}

#[tokio::test]
async fn another_interval_keeps_the_anchor_in_the_flexible_mode_and_moves_it_in_the_classic_one() {
    for (month, restarts) in [(Month::flexible().await, false), (Month::classic().await, true)] {
        let form = [
            ("product_data[name]", "Creator, a year"),
            ("unit_amount", "18250"),
            ("currency", "usd"),
            ("recurring[interval]", "year"),
        ];
        let year = text(&month.bench.post("/v1/prices", &form).await["id"]).to_owned();
        let anchor = month.row().await["billing_cycle_anchor"].clone();
        month.bench.advance("14 days").await;
        let row = month.change_to(&year, "always_invoice").await;
        assert_eq!(row["billing_cycle_anchor"] != anchor, restarts);
        let invoice = month.invoice().await;
        // 50 cents a day: 351 days until the anchor's next year, or a whole one.
        let debit = if restarts { 18_250 } else { 351 * 50 };
        assert_eq!(amounts(&invoice), [-1000, debit]);
        assert_eq!(parent(&invoice["lines"]["data"][1]).0, !restarts, "a share is a proration");
    }
}

/// What nobody has verified can be either way.
#[tokio::test]
async fn a_debit_that_begins_where_the_anchor_was_moved_is_a_proration_unless_that_is_set_otherwise() {
    for is_proration in [true, false] {
        let month = Month::flexible().await;
        let set = json!({ "anchor_debits_are_prorations": is_proration });
        assert_eq!(month.bench.control("settings", set).await.0, 200);
        month.bench.advance("14 days").await;
        let form = [("billing_cycle_anchor[type]", "now"), ("proration_behavior", "always_invoice")];
        month.update(&form).await;
        let invoice = month.invoice().await;
        assert_eq!(amounts(&invoice), [-1000, 1999]);
        assert_eq!(parent(&invoice["lines"]["data"][1]).0, is_proration);
    }
}

#[tokio::test]
async fn a_stub_until_the_anchor_is_a_share_and_no_proration() {
    let anchor = (1_769_860_800 + 7 * DAY_S).to_string();
    let month = Month::of(&[("billing_cycle_anchor", &anchor)]).await;
    let invoice = month.invoice().await;
    assert_eq!(amounts(&invoice), [451], "7 of the 31 days before 7 February");
    assert!(!parent(&invoice["lines"]["data"][0]).0);
    month.bench.advance("8 days").await;
    assert_eq!(amounts(&month.invoice().await), [1999]);
    let free = Month::of(&[("billing_cycle_anchor", &anchor), ("proration_behavior", "none")]).await;
    assert_eq!(free.invoice().await["total"], 0);
}

#[tokio::test]
async fn a_subscription_that_began_before_today_has_a_line_a_period_in_the_flexible_mode() {
    let back = (1_769_860_800 - 62 * DAY_S).to_string();
    let month = Month::of(&[("backdate_start_date", &back)]).await;
    assert_eq!(amounts(&month.invoice().await), [1999, 1999, 1999]);
    let terms = [("backdate_start_date", back.as_str()), ("billing_mode[type]", "classic")];
    assert_eq!(amounts(&Month::of(&terms).await.invoice().await).len(), 2);
}

#[tokio::test]
async fn a_trial_on_a_running_subscription_gives_back_what_is_not_used() {
    let month = Month::flexible().await;
    month.bench.advance("14 days").await;
    let end = (1_769_860_800 + 44 * DAY_S).to_string();
    let row = month.update(&[("trial_end", &end)]).await;
    assert_eq!(row["status"], "trialing");
    let invoice = month.invoice().await;
    assert_eq!(amounts(&invoice), [-1000, 0]);
    assert!(parent(&invoice["lines"]["data"][0]).0);
    assert!(!parent(&invoice["lines"]["data"][1]).0);
    assert_eq!(month.balance().await, -1000);
}

#[tokio::test]
async fn changes_inside_of_a_trial_have_lines_of_0_in_the_flexible_mode_alone() {
    let trial = ("trial_period_days", "14");
    let month = Month::of(&[trial]).await;
    let first = month.invoice().await;
    assert_eq!(first["lines"]["data"][0]["description"], "Free trial for 1 × Creator");
    assert_eq!(parent(&first["lines"]["data"][0]), (false, Value::Null));
    month.bench.advance("2 days").await;
    month.change_to(&month.basic, "always_invoice").await;
    let invoice = month.invoice().await;
    assert_eq!(amounts(&invoice), [0, 0]);
    assert_eq!(parent(&invoice["lines"]["data"][0]).1["invoice"], first["id"], "which of them is the credit");
    assert_eq!(parent(&invoice["lines"]["data"][1]), (true, Value::Null));
    assert_eq!(month.row().await["status"], "trialing");

    let month = Month::of(&[trial, ("billing_mode[type]", "classic")]).await;
    let first = month.invoice().await;
    assert_eq!(first["lines"]["data"][0]["description"], "Trial period for Creator");
    month.change_to(&month.basic, "always_invoice").await;
    assert_eq!(month.invoice().await["id"], first["id"], "no invoice");
}

#[tokio::test]
async fn the_portal_ends_a_trial_where_it_is_not_told_otherwise() {
    for (behavior, status, lines) in
        [("end_trial", "active", vec![0, 999]), ("continue_trial", "trialing", vec![0, 0])]
    {
        let month = Month::of(&[("trial_period_days", "14")]).await;
        let configuration = month
            .bench
            .post(
                "/v1/billing_portal/configurations",
                &[
                    ("features[subscription_update][enabled]", "true"),
                    ("features[subscription_update][proration_behavior]", "always_invoice"),
                    ("features[subscription_update][trial_update_behavior]", behavior),
                ],
            )
            .await;
        let form = [("customer", month.customer.as_str()), ("configuration", text(&configuration["id"]))];
        let session = month.bench.post("/v1/billing_portal/sessions", &form).await;
        let page = text(&session["url"]).split(&month.bench.sandbox.url()).last().unwrap().to_owned();
        let id = month.path.rsplit('/').next().unwrap().to_owned();
        month.bench.advance("2 days").await;
        month.bench.submit(&page, &[("do", "change"), ("subscription", &id), ("price", &month.basic)]).await;
        assert_eq!(month.row().await["status"], status);
        assert_eq!(amounts(&month.invoice().await), lines, "{behavior}");
    }
}

#[tokio::test]
async fn an_upgrade_that_cannot_be_paid_is_not_tried_again() {
    let month = Month::flexible().await;
    let attach = "/v1/payment_methods/pm_card_chargeCustomerFail/attach";
    let bad = month.bench.post(attach, &[("customer", &month.customer)]).await;
    month.update(&[("default_payment_method", text(&bad["id"]))]).await;
    let form = [
        ("items[0][id]", month.item.as_str()),
        ("items[0][quantity]", "3"),
        ("proration_behavior", "always_invoice"),
    ];
    let row = month.update(&form).await;
    assert_eq!((&row["status"], &row["items"]["data"][0]["quantity"]), (&json!("past_due"), &json!(3)));
    let invoice = month.invoice().await;
    assert_eq!((&invoice["auto_advance"], &invoice["next_payment_attempt"]), (&json!(false), &Value::Null));
    let event = month.bench.told("customer.subscription.updated").await;
    assert_eq!(event["data"]["previous_attributes"]["status"], "active", "told in one");
    month.bench.advance("25 days").await;
    assert_eq!(month.invoice().await["attempt_count"], 1);
    assert_eq!(month.row().await["status"], "past_due");
}

#[tokio::test]
async fn an_invoice_keeps_the_metadata_of_when_it_was_made() {
    let month = Month::of(&[("metadata[account]", "ada")]).await;
    month.bench.advance("2026-02-28T12:10:00Z").await;
    month.update(&[("metadata[account]", "bob")]).await;
    month.bench.advance("2 hours").await;
    let invoice = month.invoice().await;
    assert_eq!(invoice["status"], "paid");
    assert_eq!(invoice["parent"]["subscription_details"]["metadata"]["account"], "ada");
}

#[tokio::test]
async fn an_upgrade_is_told_when_its_money_has_come() {
    let month = Month::flexible().await;
    month.bench.advance("14 days").await;
    let before = {
        month.bench.told("invoice_payment.paid").await;
        month.bench.receiver.types().len()
    };
    let form = [
        ("items[0][id]", month.item.as_str()),
        ("items[0][quantity]", "2"),
        ("proration_behavior", "always_invoice"),
    ];
    month.update(&form).await;
    month.bench.told("invoice_payment.paid").await;
    month.bench.told("invoiceitem.created").await;
    let types = month.bench.receiver.types().split_off(before);
    let place = |kind: &str| {
        types.iter().position(|other| other == kind).unwrap_or_else(|| panic!("{kind}: {types:?}"))
    };
    assert!(place("invoice.paid") < place("customer.subscription.updated"), "{types:?}");
    assert!(place("customer.subscription.updated") < place("invoiceitem.created"), "{types:?}");
    assert_eq!(types.iter().filter(|kind| *kind == "customer.subscription.updated").count(), 1);
}
