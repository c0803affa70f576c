//! Does a product get its subscriptions changed, for the money and the credits that were shown?

use std::sync::Arc;

use counterfoil::{auth::keys::KeyScope, domain::catalog::Downgrade};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    ledger::music_for_sale,
    shop::{ACME, Shop, plan, with},
};

pub(super) const SUBSCRIPTION: &str = "/v1/accounts/acme/subscription";

#[tokio::test]
async fn a_larger_plan_costs_and_brings_what_the_preview_showed() {
    let shop = Shop::subscribed().await;
    shop.advance("15 days").await;
    let preview =
        shop.server.post(&format!("{SUBSCRIPTION}/change/preview"), json!({ "plan": "team" })).send().await;
    assert_eq!(preview.status, 200, "{}", preview.text);
    let shown = &preview.body;
    assert_eq!((&shown["from"]["plan"], &shown["to"]["plan"]), (&json!("creator"), &json!("team")));
    assert_eq!(
        (&shown["from"]["credits_a_month"], &shown["to"]["credits_a_month"]),
        (&json!(1_500), &json!(5_000))
    );
    assert_eq!(shown["settlement"], "at_once");
    // Half of 30 days are left: half of 29.99 less half of 19.99, and half of 3,500 credits.
    assert_eq!(shown["invoice"]["total"], json!({ "minor": 500, "currency": "usd" }));
    assert_eq!(shown["credits"]["granted"][0]["amount"], 1_750);
    let before = shop.server.balance("acme").await;
    assert_eq!(shown["credits"]["available_before"], before["available"], "nothing is changed by looking");

    // The customer thinks about it for half an hour: it costs the same.
    shop.advance("30 minutes").await;
    let order = json!({ "plan": "team", "proration_date": shown["proration_date"] });
    let changed = shop.amend("change", "k1", &order).await;
    assert_eq!(changed.status, 202, "{}", changed.text);
    assert_eq!(
        (&changed.body["status"], &changed.body["at_stripe"]["plan"]),
        (&json!("requested"), &json!("team"))
    );
    shop.until(ACME, |account| account["plan"] == "team").await;
    let expected = &shown["credits"]["available_after"];
    shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == *expected).await;
    let invoices = shop.list("/v1/invoices").await;
    assert_eq!((&invoices[0]["total"], &invoices[0]["status"]), (&json!(500), &json!("paid")));

    let again = shop.amend("change", "k1", &order).await;
    assert_eq!((again.status, &again.body), (changed.status, &changed.body));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    shop.amend("change", "k1", &json!({ "plan": "basic" })).await.is_problem(422, "idempotency_key_reused");
    assert_eq!(shop.list("/v1/invoices").await.len(), invoices.len(), "nothing is charged twice");
}

#[tokio::test]
async fn what_was_shown_holds_for_an_hour() {
    let shop = Shop::subscribed().await;
    let preview =
        shop.server.post(&format!("{SUBSCRIPTION}/change/preview"), json!({ "quantity": 2 })).send().await;
    let date = &preview.body["proration_date"];
    shop.advance("61 minutes").await;
    let late = shop.amend("change", "k1", &json!({ "quantity": 2, "proration_date": date })).await;
    late.is_problem(409, "preview_expired");
    assert!(late.body["oldest"].as_str() > date.as_str(), "{}", late.text);
    let ahead = json!({ "quantity": 2, "proration_date": "2030-01-01T00:00:00Z" });
    shop.amend("change", "k2", &ahead).await.is_problem(409, "preview_expired");
}

#[tokio::test]
async fn a_smaller_plan_is_credited_with_the_next_invoice_as_the_catalog_says() {
    let mut catalog = (*music_for_sale()).clone();
    catalog.payments.downgrade = Downgrade::AtOnce;
    let shop = Shop::selling(Arc::new(catalog)).await;
    shop.subscribe().await;
    shop.advance("15 days").await;
    let before = shop.server.balance("acme").await;
    let order = json!({ "plan": "basic" });
    let preview = shop.server.post(&format!("{SUBSCRIPTION}/change/preview"), order.clone()).send().await;
    assert_eq!(preview.body["settlement"], "next_invoice", "{}", preview.text);
    // Half of the 30 days is left: of the month's 1,500 the rest of what creator gives more than basic, (1,500 − 500) ÷
    // 2, is taken at once; 1,000 and the 50 of the beginning stay.
    assert_eq!(before["available"], 1_550);
    assert_eq!(preview.body["credits"]["available_after"], 1_050);
    // What is not used of 19.99, less the rest of 9.99, comes off the next month's 9.99.
    assert_eq!(preview.body["invoice"]["total"]["minor"], 999 - 500);
    assert_eq!(shop.amend("change", "k1", &order).await.status, 202);
    shop.until(ACME, |account| account["plan"] == "basic").await;
    assert_eq!(shop.server.balance("acme").await["available"], 1_050);
    let upcoming = shop.server.get(&format!("{SUBSCRIPTION}/upcoming-invoice")).send().await;
    assert_eq!(upcoming.body["invoice"]["total"]["minor"], 499, "{}", upcoming.text);
    assert_eq!(upcoming.body["invoice"]["lines"].as_array().unwrap().len(), 3);
}

/// What waits for the next invoice comes with that of a change that is charged at once: the preview shows it, and what
/// had been taken is given again.
#[tokio::test]
async fn a_larger_plan_after_a_smaller_one_costs_and_brings_what_the_preview_showed() {
    let mut catalog = (*music_for_sale()).clone();
    catalog.payments.downgrade = Downgrade::AtOnce;
    let shop = Shop::selling(Arc::new(catalog)).await;
    shop.subscribe().await;
    shop.advance("15 days").await;
    assert_eq!(shop.amend("change", "k1", &json!({ "plan": "basic" })).await.status, 202);
    shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == 1_050).await;
    let order = json!({ "plan": "creator" });
    let preview = shop.server.post(&format!("{SUBSCRIPTION}/change/preview"), order.clone()).send().await;
    let (invoice, credits) = (&preview.body["invoice"], &preview.body["credits"]);
    assert_eq!(invoice["lines"].as_array().map(Vec::len), Some(4), "{}", preview.text);
    let sum = |names: &[&str]| names.iter().filter_map(|name| credits[*name].as_i64()).sum::<i64>();
    let granted = credits["granted"].as_array().unwrap().iter().filter_map(|grant| grant["amount"].as_i64());
    let after =
        sum(&["available_before", "restored"]) + granted.sum::<i64>() - sum(&["taken", "paid_of_debt"]);
    assert_eq!(credits["available_after"], after, "{}", preview.text);
    assert_eq!(shop.amend("change", "k2", &order).await.status, 202);
    shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == after).await;
    let made = &shop.list("/v1/invoices").await[0];
    assert_eq!(made["total"], invoice["total"]["minor"], "{}", preview.text);
}

#[tokio::test]
async fn another_interval_begins_a_year_that_is_paid_at_once() {
    let shop = Shop::subscribed().await;
    let order = json!({ "interval": "year" });
    let preview = shop.server.post(&format!("{SUBSCRIPTION}/change/preview"), order.clone()).send().await;
    assert_eq!(
        (preview.status.as_u16(), &preview.body["settlement"]),
        (200, &json!("at_once")),
        "{}",
        preview.text
    );
    let expected = &preview.body["credits"]["available_after"];
    let changed = shop.amend("change", "k1", &order).await;
    assert_eq!((changed.status.as_u16(), &changed.body["at_stripe"]["interval"]), (202, &json!("year")));
    shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == *expected).await;
    let total = &shop.list("/v1/invoices").await[0]["total"];
    assert_eq!(*total, preview.body["invoice"]["total"]["minor"]);
}

/// The money of an upgrade went back. Stripe gives back its rest once more, so that the next change costs less than its
/// plan is worth, and brings as much less: so says the preview.
#[tokio::test]
async fn a_change_after_an_upgrade_was_refunded_brings_what_the_preview_showed() {
    for part in [None, Some("700")] {
        let shop = Shop::subscribed().await;
        shop.advance("15 days").await;
        assert_eq!(shop.amend("change", "k1", &json!({ "quantity": 2 })).await.status, 202);
        shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == 50 + 1_500 + 750).await;
        let charge = shop.list("/v1/charges").await[0]["id"].as_str().unwrap().to_owned();
        let mut form = vec![("charge", charge.as_str())];
        form.extend(part.map(|minor| ("amount", minor)));
        shop.at_stripe(Method::POST, "/v1/refunds", &form).await;
        shop.until(&format!("{ACME}/balance"), |balance| balance["available"] != 50 + 1_500 + 750).await;

        let order = json!({ "plan": "team", "quantity": 2 });
        let preview = shop.server.post(&format!("{SUBSCRIPTION}/change/preview"), order.clone()).send().await;
        assert_eq!(preview.status, 200, "{}", preview.text);
        let expected = &preview.body["credits"]["available_after"];
        let whole = 50 + 750 + 5_000;
        assert!(expected.as_i64().is_some_and(|after| after < whole), "not worth the plan: {}", preview.text);
        assert_eq!(shop.amend("change", "k2", &order).await.status, 202);
        shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == *expected).await;
    }
}

#[tokio::test]
async fn trap_30_a_cancellation_is_scheduled_and_withdrawn_however_it_was_made() {
    let shop = Shop::subscribed().await;
    let cancel =
        json!({ "at": "period_end", "feedback": "too_expensive", "reason": "Ada Lovelace moved away" });
    let answer = shop.amend("cancel", "k1", &cancel).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.body["at_stripe"]["cancel_at"], answer.body["at_stripe"]["period_end"]);
    let details = &shop.list("/v1/subscriptions").await[0]["cancellation_details"];
    assert_eq!(
        (&details["feedback"], &details["comment"]),
        (&json!("too_expensive"), &json!("Ada Lovelace moved away"))
    );
    shop.until(SUBSCRIPTION, |found| found["subscription"]["cancel_at"].is_string()).await;
    let upcoming = shop.server.get(&format!("{SUBSCRIPTION}/upcoming-invoice")).send().await;
    assert_eq!((upcoming.status.as_u16(), &upcoming.body["invoice"]), (200, &Value::Null));
    shop.amend("cancel", "k2", &cancel).await.is_problem(409, "nothing_to_change");
    shop.amend("change", "k3", &json!({ "plan": "team" })).await.is_problem(409, "subscription_state");

    assert_eq!(shop.amend("cancel/withdraw", "k4", &json!({})).await.status, 202);
    shop.until(SUBSCRIPTION, |found| found["subscription"]["cancel_at"].is_null()).await;
    // As the portal does it in flexible billing mode: by a date alone.
    let row = shop.list("/v1/subscriptions").await[0].clone();
    let end = row["items"]["data"][0]["current_period_end"].to_string();
    shop.at_stripe(Method::POST, &shop.path().await, &[("cancel_at", &end)]).await;
    shop.until(SUBSCRIPTION, |found| found["subscription"]["cancel_at"].is_string()).await;
    assert_eq!(shop.amend("cancel/withdraw", "k5", &json!({})).await.status, 202);
    shop.until(SUBSCRIPTION, |found| found["subscription"]["cancel_at"].is_null()).await;
    assert!(!shop.kept().await.contains("Lovelace"), "what a person says is kept nowhere");
}

#[tokio::test]
async fn cancelled_at_once_it_has_ended_and_what_was_paid_for_stays() {
    let shop = Shop::subscribed().await;
    let before = shop.server.balance("acme").await;
    let cancel = json!({ "at": "now", "feedback": "unused", "reason": "done with it" });
    let answer = shop.amend("cancel", "k1", &cancel).await;
    assert_eq!((answer.status.as_u16(), &answer.body["at_stripe"]["status"]), (202, &json!("canceled")));
    shop.until(SUBSCRIPTION, |found| found["subscription"]["status"] == "cancelled").await;
    assert_eq!(shop.server.balance("acme").await["available"], before["available"]);
    let row = &shop.at_stripe(Method::GET, "/v1/subscriptions", &[("status", "all")]).await["data"][0];
    assert_eq!(row["cancellation_details"]["comment"], "done with it");
    shop.amend("resume", "k2", &json!({})).await.is_problem(409, "no_subscription");
    let id = row["id"].as_str().unwrap();
    let named = shop.amend("resume", "k3", &json!({ "subscription": id })).await;
    named.is_problem(409, "subscription_state");
    assert_eq!(
        (&named.body["subscription_status"], &named.body["allowed"]),
        (&json!("cancelled"), &json!([]))
    );
}

#[tokio::test]
async fn trap_29_a_pause_charges_and_grants_nothing_until_it_is_resumed() {
    let shop = Shop::subscribed().await;
    assert_eq!(shop.amend("pause", "k1", &json!({})).await.status, 202);
    shop.until(SUBSCRIPTION, |found| found["subscription"]["collection_paused"] == true).await;
    shop.amend("pause", "k2", &json!({})).await.is_problem(409, "subscription_state");
    let upcoming = shop.server.get(&format!("{SUBSCRIPTION}/upcoming-invoice")).send().await;
    assert_eq!(upcoming.body["invoice"], json!(null), "{}", upcoming.text);
    shop.advance("32 days").await;
    assert_eq!(shop.list("/v1/invoices").await[0]["status"], "void");
    let listed = shop.server.get(&format!("{ACME}/subscriptions")).send().await;
    assert_eq!(listed.body["subscriptions"][0]["allowed"], json!(["resume", "cancel"]), "{}", listed.text);
    let resumed = shop.amend("resume", "k3", &json!({})).await;
    assert_eq!(
        (resumed.status.as_u16(), &resumed.body["at_stripe"]["collection_paused"]),
        (202, &json!(false))
    );
    shop.until(SUBSCRIPTION, |found| found["subscription"]["collection_paused"] == false).await;
    shop.advance("32 days").await;
    assert_eq!(shop.list("/v1/invoices").await[0]["status"], "paid");
}

#[tokio::test]
async fn a_subscription_that_stands_still_is_resumed_with_a_new_period() {
    let shop = Shop::subscribed().await;
    let path = format!("{}/pause", shop.path().await);
    shop.at_stripe(Method::POST, &path, &[("type", "subscription")]).await;
    shop.until(SUBSCRIPTION, |found| found["subscription"]["status"] == "paused").await;
    shop.advance("40 days").await;
    let resumed = shop.amend("resume", "k1", &json!({})).await;
    assert_eq!((resumed.status.as_u16(), &resumed.body["at_stripe"]["status"]), (202, &json!("active")));
    shop.until(ACME, |account| account["plan"] == "creator").await;
    assert_eq!(shop.list("/v1/invoices").await[0]["status"], "paid");
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_without_a_call_that_changes_anything() {
    let shop = Shop::start().await;
    shop.amend("change", "k1", &json!({ "plan": "team" })).await.is_problem(409, "no_subscription");
    shop.server
        .get(&format!("{SUBSCRIPTION}/upcoming-invoice"))
        .send()
        .await
        .is_problem(409, "no_subscription");
    shop.subscribe().await;
    let same = json!({ "plan": "creator", "interval": "month", "quantity": 1 });
    let so = shop.amend("change", "k1", &same).await;
    so.is_problem(409, "nothing_to_change");
    assert_eq!(so.body["at_stripe"], json!({ "plan": "creator", "interval": "month", "quantity": 1 }));
    shop.amend("change", "k1", &json!({ "plan": "gold" })).await.is_problem(422, "unknown_plan");
    let free = shop.amend("change", "k1", &json!({ "plan": "free" })).await;
    free.is_problem(409, "not_for_sale");
    assert_eq!(free.body["reason"], "no_price");
    let other = json!({ "plan": "team", "subscription": "sub_other" });
    shop.amend("change", "k1", &other).await.is_problem(404, "subscription_not_found");
    for body in [json!({}), json!({ "quantity": 0 }), json!({ "price": "price_1" })] {
        shop.amend("change", "k1", &body).await.is_problem(422, "invalid_request");
    }
    let cancel = |name: &str, value: Value| with(json!({ "at": "now" }), name, value);
    for body in
        [cancel("at", json!("later")), cancel("feedback", json!("rude")), cancel("reason", json!("a\nb"))]
    {
        shop.amend("cancel", "k1", &body).await.is_problem(422, "invalid_request");
    }
    let resumed = shop.amend("resume", "k1", &json!({})).await;
    resumed.is_problem(409, "subscription_state");
    assert_eq!(resumed.body["allowed"], json!(["change", "cancel", "pause"]));
    assert_eq!(shop.calls("subscription_%").await, 0, "nothing was written down to be asked");
    assert_eq!(
        shop.amend("change", "k1", &json!({ "plan": "team" })).await.status,
        202,
        "the key was not used up"
    );
}

#[tokio::test]
async fn of_several_subscriptions_one_is_named() {
    let shop = Shop::subscribed().await;
    let first = shop.list("/v1/subscriptions").await[0].clone();
    let customer = first["customer"].as_str().unwrap();
    let form = [
        ("customer", customer),
        ("items[0][price]", "price_of_stripe_price_team"),
        ("default_payment_method", first["default_payment_method"].as_str().unwrap()),
        ("metadata[account_id]", "acme"),
    ];
    let second = shop.at_stripe(Method::POST, "/v1/subscriptions", &form).await;
    shop.until(&format!("{ACME}/subscriptions"), |found| {
        found["subscriptions"].as_array().is_some_and(|listed| listed.len() == 2)
    })
    .await;
    let unclear = shop.amend("pause", "k1", &json!({})).await;
    unclear.is_problem(409, "several_subscriptions");
    assert_eq!(unclear.body["subscriptions"].as_array().unwrap().len(), 2);
    let named = shop.amend("pause", "k1", &json!({ "subscription": second["id"] })).await;
    assert_eq!((named.status.as_u16(), &named.body["at_stripe"]["subscription"]), (202, &second["id"]));
}

#[tokio::test]
async fn a_plan_to_begin_with_is_a_checkouts_and_not_a_change() {
    let shop = Shop::subscribed().await;
    let refused = shop.checkout("k1", &plan()).await;
    refused.is_problem(409, "subscription_active");
    assert!(
        refused.body["advice"].as_str().is_some_and(|advice| advice.contains("/subscription/change")),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn whoever_reads_or_spends_changes_no_subscription() {
    let shop = Shop::subscribed().await;
    let server = &shop.server;
    let reader =
        server.key([KeyScope::Read, KeyScope::Deduct, KeyScope::Operate, KeyScope::Audit], None).await;
    for (what, body) in [
        ("change/preview", json!({ "plan": "team" })),
        ("change", json!({ "plan": "team" })),
        ("cancel", json!({ "at": "now" })),
        ("cancel/withdraw", json!({})),
        ("pause", json!({})),
        ("resume", json!({})),
    ] {
        let refused = server.post(&format!("{SUBSCRIPTION}/{what}"), body).key(&reader).send().await;
        refused.is_problem(403, "scope_missing");
        assert_eq!(refused.body["scopes"], json!(["billing", "admin"]), "{what}");
    }
    let upcoming = server.get(&format!("{SUBSCRIPTION}/upcoming-invoice"));
    upcoming.key(&reader).send().await.is_problem(403, "scope_missing");
    assert_eq!(server.get(&format!("{ACME}/subscriptions")).key(&reader).send().await.status, 200);
    let biller = server.key([KeyScope::Billing], Some(&["acme"])).await;
    let paused = server.post(&format!("{SUBSCRIPTION}/pause"), json!({})).key(&biller).send().await;
    assert_eq!(paused.status, 202, "{}", paused.text);
}
