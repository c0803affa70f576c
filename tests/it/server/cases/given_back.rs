//! Money that went back, in whatever way: its credits go with it.

use serde_json::json;

use super::{
    documents,
    told::{Case, lived},
};

/// 18 of 30 days are given back to the customer's balance, by a credit line that has no charge beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_now_with_proration_leaves_the_share_of_the_time_used() {
    lived("A1_cancel_now_with_proration").await.credits(650).plan("free").mrr(0).all_handled();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credit_note_to_the_balance_ends_what_the_invoice_gave() {
    let told = lived("A3_credit_note_to_balance").await;
    told.credits(50).plan("free").has("stem_separation", false).all_handled();
}

/// Voided an hour later: the invoice has paid for its period again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credit_note_that_is_voided_gives_back_what_it_took() {
    let mut events = documents::events("A3_credit_note_to_balance");
    let mut voided = events[2].clone();
    let at = voided["created"].as_i64().expect("seconds") + 3_600;
    (voided["id"], voided["type"], voided["created"]) =
        (json!("evt_voided"), json!("credit_note.voided"), json!(at));
    voided["data"]["object"]["status"] = json!("void");
    events.push(voided);
    Case::of(events).told().await.credits(1_550).plan("creator").has("stem_separation", true).all_handled();
}

/// Its status is paid, and nobody has paid anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_invoice_that_a_credit_note_settles_pays_for_nothing() {
    lived("A4_open_invoice_credited_in_full").await.credits(50).plan("free").all_handled();
}

/// The network has given the money back to the cardholder.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dispute_that_was_prevented_is_money_given_back() {
    lived("A6_dispute_prevented_by_RDR").await.credits(50).plan("free").all_handled();
}

/// 1.00 of the 19.99 went back: ⌊1,500 × 100 ÷ 1,999⌋ = 75.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_takes_its_share_of_card_and_balance_together() {
    lived("F17_balance_and_card").await.credits(50 + 1_500 - 75).plan("creator").all_handled();
}

/// 18.50 EUR of 19.99 USD, and the balance's transactions say that all of it was withdrawn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dispute_in_another_currency_counts_by_what_was_withdrawn() {
    let mut events = documents::events("A6_dispute_prevented_by_RDR");
    for event in events.iter_mut().filter(|event| event["data"]["object"]["object"] == "dispute") {
        let dispute = &mut event["data"]["object"];
        (dispute["amount"], dispute["currency"], dispute["status"]) =
            (json!(1_850), json!("eur"), json!("lost"));
        let moved = &mut dispute["balance_transactions"][0];
        (moved["currency"], moved["amount"], moved["fee"], moved["net"]) =
            (json!("usd"), json!(-1_999), json!(1_500), json!(-3_499));
    }
    Case::of(events).told().await.credits(50).plan("free").all_handled();
}

/// Nothing says how much was withdrawn: then it is the whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dispute_in_another_currency_without_transactions_counts_as_the_whole() {
    let mut events = documents::events("A6_dispute_prevented_by_RDR");
    for event in events.iter_mut().filter(|event| event["data"]["object"]["object"] == "dispute") {
        let dispute = &mut event["data"]["object"];
        (dispute["amount"], dispute["currency"], dispute["status"]) =
            (json!(1_850), json!("eur"), json!("lost"));
        dispute["balance_transactions"] = json!([]);
    }
    Case::of(events).told().await.credits(50).plan("free").all_handled();
}
