//! What becomes of a call whose outcome nobody knew, when its caller never comes back? And of one that did not happen?

use counterfoil::stripe::outbound::ResolvedCalls;
use serde_json::{Value, json};

use crate::support::{
    heard::Heard,
    shop::{ACME, Shop, pack, plan},
};

const ALL: usize = 3;
const DONE: ResolvedCalls = ResolvedCalls { done: 1, rejected: 0, lost: 0, open: 0 };

fn cut_after_work() -> Value {
    json!({ "cut": true, "after_work": true, "times": ALL })
}

fn to_team() -> Value {
    json!({ "plan": "team" })
}

/// A change of plan that ends with an unknown outcome, because of `fault`.
async fn in_doubt(fault: Value) -> Shop {
    let shop = Shop::subscribed().await;
    shop.fail(json!([{}, fault])).await;
    shop.amend("change", "k1", &to_team()).await.is_problem(503, "stripe_outcome_unknown");
    shop.fail(json!([])).await;
    shop
}

async fn state_of(shop: &Shop, operation: &str) -> String {
    sqlx::query_scalar("select state from ledger.stripe_calls where operation = $1 order by changed_at desc")
        .bind(operation)
        .fetch_one(&shop.server.test.database.pool())
        .await
        .unwrap()
}

async fn price(shop: &Shop) -> Value {
    shop.list("/v1/subscriptions").await[0]["items"]["data"][0]["price"]["id"].clone()
}

#[tokio::test]
async fn what_nobody_knew_is_found_out_after_a_restart_and_done_once() {
    for fault in [cut_after_work(), json!({ "status": 500, "times": ALL })] {
        let shop = in_doubt(fault).await;
        assert_eq!(shop.resolve().await, ResolvedCalls::default(), "it may still be on its way");
        shop.advance("61 seconds").await;
        assert_eq!(shop.resolve().await, DONE);
        assert_eq!(shop.resolve().await, ResolvedCalls::default());
        shop.until(ACME, |account| account["plan"] == "team").await;
        assert_eq!(shop.list("/v1/invoices").await.len(), 2, "charged once");
        // The caller comes back late, and is told from what is written down.
        shop.fail(json!([{ "status": 500, "times": ALL }])).await;
        let told = shop.amend("change", "k1", &to_team()).await;
        assert_eq!(
            (told.status.as_u16(), told.header("idempotent-replayed")),
            (202, Some("true")),
            "{}",
            told.text
        );
    }
}

#[tokio::test]
async fn several_instances_that_look_at_once_do_it_once() {
    let shop = in_doubt(json!({ "status": 500, "times": ALL })).await;
    shop.advance("61 seconds").await;
    let looks = futures::future::join_all((0..4).map(|_| shop.resolve())).await;
    assert_eq!(looks.iter().map(|look| look.done).sum::<u64>(), 1);
    assert_eq!(shop.list("/v1/invoices").await.len(), 2);
}

#[tokio::test]
async fn what_did_not_happen_is_never_done_behind_the_callers_back() {
    let shop = Shop::subscribed().await;
    shop.fail(json!([{ "status": 429, "times": ALL }])).await;
    shop.amend("pause", "k1", &json!({})).await.is_problem(503, "stripe_unavailable");
    assert_eq!(state_of(&shop, "subscription_pause").await, "untouched");
    shop.advance("2 hours").await;
    assert_eq!(shop.resolve().await, ResolvedCalls::default());
    assert!(shop.list("/v1/subscriptions").await[0]["pause_collection"].is_null());
    // Only the caller asks again, also after Stripe has forgotten everything.
    shop.advance("2 days").await;
    assert_eq!(shop.amend("pause", "k1", &json!({})).await.status, 202);
}

#[tokio::test]
async fn what_may_have_happened_is_not_said_to_have_not() {
    let shop = in_doubt(cut_after_work()).await;
    shop.fail(json!([{ "status": 429, "times": ALL }])).await;
    shop.amend("change", "k1", &to_team()).await.is_problem(503, "stripe_outcome_unknown");
    assert_eq!(state_of(&shop, "subscription_change").await, "open");
}

#[tokio::test]
async fn while_stripe_is_broken_it_is_asked_less_and_less_often() {
    let shop = in_doubt(json!({ "status": 500, "times": ALL })).await;
    let open = ResolvedCalls { open: 1, ..ResolvedCalls::default() };
    for (wait, found) in
        [("61 seconds", open), ("50 seconds", ResolvedCalls::default()), ("11 seconds", open)]
    {
        shop.advance(wait).await;
        shop.fail(json!([{ "status": 500, "times": ALL }])).await;
        assert_eq!(shop.resolve().await, found, "{wait}");
    }
    shop.fail(json!([])).await;
    shop.advance("61 seconds").await;
    assert_eq!(shop.resolve().await, ResolvedCalls::default(), "two minutes the second time");
    shop.advance("60 seconds").await;
    assert_eq!(shop.resolve().await, DONE);
}

#[tokio::test]
async fn after_a_day_the_subscription_itself_says_that_it_was_done() {
    let shop = in_doubt(cut_after_work()).await;
    shop.advance("23 hours").await;
    let late = shop.amend("change", "k1", &to_team()).await;
    late.is_problem(502, "stripe_outcome_lost");
    shop.advance("2 hours").await;
    assert_eq!(shop.resolve().await, DONE);
    assert_eq!(shop.amend("change", "k1", &to_team()).await.status, 202);
    assert_eq!(shop.list("/v1/invoices").await.len(), 2, "the forgotten key was not used again");
}

#[tokio::test]
async fn what_cannot_be_found_out_any_more_is_marked_and_not_done_twice() {
    let heard = Heard::begin();
    let shop = in_doubt(json!({ "status": 500, "times": ALL })).await;
    shop.advance("25 hours").await;
    assert_eq!(shop.resolve().await, ResolvedCalls { lost: 1, ..ResolvedCalls::default() });
    assert_eq!(price(&shop).await, "price_of_stripe_price_creator");
    shop.amend("change", "k1", &to_team()).await.is_problem(502, "stripe_outcome_lost");
    assert_eq!(shop.resolve().await, ResolvedCalls::default());
    assert_eq!(shop.amend("change", "k2", &to_team()).await.status, 202, "a new key is a new request");

    let line = heard.line("whether Stripe did it was not found out in time");
    assert_eq!((&line["level"], &line["account"]), (&json!("ERROR"), &json!("acme")));
    assert_eq!(line["operation"], "subscription_change");
    let asked = heard.lines_of("a call to Stripe has failed");
    assert!(asked.iter().any(|asked| asked["stripe_key"] == line["stripe_key"]), "{line}: {asked:#?}");
    let lost =
        "counterfoil_stripe_calls_resolved_total{operation=\"subscription_change\",outcome=\"lost\"} 1";
    heard.has_counted(&[lost]);
}

#[tokio::test]
async fn how_many_calls_are_open_and_since_when_is_counted() {
    let heard = Heard::begin();
    let shop = in_doubt(cut_after_work()).await;
    shop.advance("40 seconds").await;
    shop.resolve().await;
    heard
        .has_counted(&["counterfoil_stripe_calls_open 1", "counterfoil_stripe_calls_open_oldest_seconds 40"]);
    shop.advance("21 seconds").await;
    assert_eq!(shop.resolve().await, DONE);
    heard.has_counted(&[
        "counterfoil_stripe_calls_open 0",
        "counterfoil_stripe_calls_open_oldest_seconds 0",
        "counterfoil_stripe_calls_resolved_total{operation=\"subscription_change\",outcome=\"done\"} 1",
    ]);
}

#[tokio::test]
async fn a_cancellation_whose_answer_was_cut_off_is_found_though_stripe_has_no_key_for_it() {
    let shop = Shop::subscribed().await;
    let cancel = json!({ "at": "now" });
    // The second try finds nothing that could be cancelled.
    shop.fail(json!([{ "cut": true, "after_work": true }])).await;
    let answer = shop.amend("cancel", "k1", &cancel).await;
    assert_eq!((answer.status.as_u16(), &answer.body["at_stripe"]["status"]), (202, &json!("canceled")));

    let shop = Shop::subscribed().await;
    shop.fail(json!([{ "cut": true, "after_work": true }, { "status": 500, "times": 2 }])).await;
    shop.amend("cancel", "k1", &cancel).await.is_problem(503, "stripe_outcome_unknown");
    shop.advance("61 seconds").await;
    assert_eq!(shop.resolve().await, DONE);
    assert_eq!(shop.amend("cancel", "k1", &cancel).await.status, 202);
}

#[tokio::test]
async fn a_page_whose_address_nobody_got_is_noted_as_begun() {
    let shop = Shop::start().await;
    shop.become_customer().await;
    shop.fail(json!([cut_after_work()])).await;
    shop.checkout("k1", &plan()).await.is_problem(503, "stripe_outcome_unknown");
    shop.fail(json!([])).await;
    shop.advance("61 seconds").await;
    assert_eq!(shop.resolve().await, DONE);
    let events = shop.server.get(&format!("{ACME}/events")).send().await;
    assert_eq!(events.text.matches("CheckoutStarted").count(), 2, "one of them is of `k1`");
    let told = shop.checkout("k1", &plan()).await;
    assert_eq!((told.status.as_u16(), shop.sessions().await), (201, 2));
}

#[tokio::test]
async fn an_account_whose_customer_was_lost_can_become_another() {
    let shop = Shop::start().await;
    shop.fail(json!([{ "status": 500, "times": ALL }])).await;
    shop.checkout("k1", &pack()).await.is_problem(503, "stripe_outcome_unknown");
    shop.advance("25 hours").await;
    shop.checkout("k1", &pack()).await.is_problem(502, "stripe_outcome_lost");
    assert_eq!(shop.resolve().await, ResolvedCalls { lost: 1, ..ResolvedCalls::default() });
    assert_eq!(shop.checkout("k1", &pack()).await.status, 201);
}

#[tokio::test]
async fn pages_are_forgotten_after_a_season_and_changes_never() {
    let shop = Shop::subscribed().await;
    assert_eq!(shop.amend("pause", "k1", &json!({})).await.status, 202);
    shop.advance("89 days").await;
    shop.resolve().await;
    assert_eq!(shop.calls("checkout_session").await, 1);
    shop.advance("2 days").await;
    shop.resolve().await;
    assert_eq!((shop.calls("checkout_session").await, shop.calls("subscription_%").await), (0, 1));
    let told = shop.amend("pause", "k1", &json!({})).await;
    assert_eq!(told.header("idempotent-replayed"), Some("true"), "{}", told.text);
    assert_eq!(shop.calls("customer").await, 1);
}
