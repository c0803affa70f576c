//! Who may do what while money is on its way, when it does not come, and when the plan is not sold any more.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    documents,
    told::{Case, case, lived},
};
use crate::support::catalogs;

/// The month ended five days ago, the debit is on its way, and what was left can be spent until it arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_of_a_month_can_be_spent_while_a_debit_is_processing() {
    let told = case("A20_bank_debit_renewal_five_days").looking_at("2026-11-26T14:34:06Z").told().await;
    told.credits(1_550).plan("creator").mrr(1_999).all_handled();
    for account in told.names() {
        let path = format!("/v1/accounts/{account}/deductions");
        let answer = told.program.server.post(&path, json!({ "amount": 100 })).send().await;
        assert_eq!(answer.status, StatusCode::CREATED, "{account}: {}", answer.text);
    }
    // `payments.bridge_days` is 21 where nothing else is said: then it is over for good.
    let told = told.at("2026-12-12T14:34:07Z").await;
    told.credits(50).plan("free");
}

/// Stripe says `active` again, and nothing was paid.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_that_was_voided_gives_no_access_though_it_is_active() {
    let told = lived("A24_renewal_voided_active_again").await;
    told.credits(50).plan("free").has("stem_separation", false).mrr(0).all_handled();
}

/// As if it were void: nobody expects the money any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_that_is_uncollectible_gives_no_access_though_it_is_active() {
    let mut events = documents::events("A24_renewal_voided_active_again");
    for event in &mut events {
        if event["type"] == "invoice.voided" {
            event["type"] = json!("invoice.marked_uncollectible");
            event["data"]["object"]["status"] = json!("uncollectible");
        }
    }
    let told = Case::of(events).told().await;
    told.credits(50).plan("free").has("stem_separation", false).mrr(0).all_handled();
}

/// It is paid all the same, later: what was paid for is there for a month of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_that_was_uncollectible_and_is_paid_gives_its_month() {
    let mut events = documents::events("A24_renewal_voided_active_again");
    let mut paid = events[5].clone();
    events[5]["type"] = json!("invoice.marked_uncollectible");
    events[5]["data"]["object"]["status"] = json!("uncollectible");
    let at = paid["created"].as_i64().expect("seconds") + 3_600;
    (paid["id"], paid["type"], paid["created"]) = (json!("evt_paid"), json!("invoice.paid"), json!(at));
    let invoice = &mut paid["data"]["object"];
    (invoice["status"], invoice["amount_paid"]) = (json!("paid"), json!(1_999));
    invoice["status_transitions"] = json!({ "paid_at": at });
    events.push(paid);
    let told = Case::of(events).under(catalogs::without_rollover()).told().await;
    told.credits(1_550).plan("creator").mrr(1_999).all_handled();
}

/// A subscription that is active at once, and what is told of its first invoice.
fn first_debit(kind: &str, status: &str) -> Vec<Value> {
    let events = documents::events("A24_renewal_voided_active_again");
    let (mut created, mut invoice) = (events[0].clone(), events[5].clone());
    let span = (events[2]["created"].as_i64().expect("seconds") - 16, 1_797_863_650);
    let item = &mut created["data"]["object"]["items"]["data"][0];
    (item["current_period_start"], item["current_period_end"]) = (json!(span.0), json!(span.1));
    created["created"] = json!(span.0);
    invoice["type"] = json!(kind);
    let told = &mut invoice["data"]["object"];
    (told["billing_reason"], told["status"]) = (json!("subscription_create"), json!(status));
    vec![created, invoice]
}

/// A first debit that failed for good: the subscription was active at once, and nothing was ever paid.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_debit_that_fails_for_good_gives_no_access_though_it_is_active() {
    let told = Case::of(first_debit("invoice.voided", "void")).told().await;
    told.credits(50).plan("free").has("stem_separation", false).mrr(0).all_handled();
}

/// The plan waits for the money, unless the catalog trusts it to come. The credits wait for it in any case.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_debit_that_is_on_its_way_gives_the_plan_only_where_it_is_trusted() {
    let told = || Case::of(first_debit("invoice.finalized", "open"));
    told().told().await.credits(50).plan("free").has("stem_separation", false).all_handled();
    let text = catalogs::MUSIC.replace("trust_processing = false", "trust_processing = true");
    let told = told().under(catalogs::parse(&text)).told().await;
    told.credits(50).plan("creator").has("stem_separation", true).all_handled();
}

/// An upgrade that is charged for by a bank debit: nothing of the larger plan is there before its money.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_debit_is_on_its_way_gives_the_larger_plan_when_it_is_paid() {
    let events = documents::events("F3_upgrade_f3none");
    let change = events.iter().rfind(|event| event["type"] == "invoice.paid").expect("the upgrade is paid");
    let mut finalized = change.clone();
    finalized["id"] = json!("evt_finalized");
    finalized["type"] = json!("invoice.finalized");
    finalized["data"]["object"]["status"] = json!("open");
    let without = events.iter().filter(|event| *event != change).chain([&finalized]);
    let told = Case::of(without.cloned().collect()).told().await;
    told.credits(550).plan("basic").has("stem_separation", false).all_handled();
    let told = Case::of(events.iter().chain([&finalized]).cloned().collect()).told().await;
    told.credits(1_216).plan("creator").has("stem_separation", true).all_handled();
}
