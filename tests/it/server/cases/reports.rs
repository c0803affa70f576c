//! Reports of subscriptions: which terms hold, whose they are, and what they bring in a month.

use counterfoil::stripe::outbound::BillingMode;
use serde_json::json;

use super::{
    documents,
    told::{Case, case, lived},
};
use crate::support::{bureau::Bureau, shop::client};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_addon_that_is_added_counts_in_mrr() {
    lived("F1_addon_added").await.plan("basic").mrr(999 + 500).all_handled();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_report_counts_by_its_terms_and_not_by_what_it_says_has_changed() {
    lived("F20_later_report_with_the_whole_state").await.plan("creator").mrr(1_999).all_handled();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_subscriptions_the_best_plan_holds_though_a_smaller_one_renews_later() {
    let told = lived("F6_two_subscriptions_smaller_renews").await;
    told.plan("team").has("collaboration", true).limit(500).mrr(2_999 + 999).all_handled();
}

/// Half of 19.99, rounded half to even.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_for_ever_halves_mrr_when_it_is_told_in_full() {
    lived("F7_f7expanded").await.mrr(1_000).all_handled();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_for_ever_halves_mrr_when_it_is_in_the_older_field_beside_ids() {
    lived("F7_f7older").await.mrr(1_000).all_handled();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_for_ever_that_is_told_by_its_id_is_fetched() {
    let coupon = json!({
        "id": "HALF", "object": "coupon", "amount_off": null, "created": 1_794_000_000, "currency": null,
        "duration": "forever", "duration_in_months": null, "livemode": false, "max_redemptions": null,
        "metadata": {}, "name": "Half", "percent_off": 50.0, "redeem_by": null, "times_redeemed": 1, "valid": true,
    });
    let bureau = Bureau::open(documents::after(&documents::events("F7_f7ids"))).await;
    let mut objects = vec![coupon.clone()];
    for telling in ["-as-it-happened", "-in-order", "-doubled"] {
        let event = documents::renamed(&documents::events("F7_f7ids")[0], telling);
        let mut subscription = event["data"]["object"].clone();
        subscription["discounts"] = json!([{
            "id": "di_f7", "object": "discount", "coupon": coupon, "customer": subscription["customer"],
            "source": { "type": "coupon", "coupon": coupon }, "start": 1_794_662_510, "end": null,
            "subscription": subscription["id"], "promotion_code": null, "invoice": null, "invoice_item": null,
        }]);
        objects.push(subscription);
    }
    bureau.happened(&[], &objects).await;
    let switch = BillingMode::On(client("sk_test_coupons", &bureau.sandbox.url()));
    case("F7_f7ids").asking(switch).told().await.mrr(1_000).all_handled();
}

/// Before its end it is the new account's alone; after it, nobody's. It counts once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_moves_ends_in_the_old_account_and_goes_on_in_the_new_one() {
    let moved = case("F9_subscription_moved_to_another_account").until(3).told().await;
    moved.assert_mrr_of_each(2_999).await;
    let moved = moved.of("f9a");
    moved.plan("free").mrr(0);
    let moved = moved.of("f9b");
    moved.plan("team").mrr(2_999).all_handled();
    let ended = lived("F9_subscription_moved_to_another_account").await;
    ended.assert_mrr_of_each(0).await;
    let ended = ended.of("f9a");
    ended.plan("free").mrr(0);
    let ended = ended.of("f9b");
    ended.plan("free").mrr(0).all_handled();
}

/// The invoice was a draft when the subscription moved, and still has the old account in its metadata.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_belongs_to_the_account_of_its_subscription_and_not_to_copied_metadata() {
    let told = lived("A34_moved_while_the_invoice_was_a_draft").await.of("a34x");
    // The first month of the old account is over, and nothing goes on there that its rest could wait for.
    told.credits(50).plan("free").mrr(0);
    let told = told.of("a34y");
    told.credits(1_550).plan("creator").mrr(1_999).all_handled();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_that_nobody_knows_ends_the_known_plan() {
    let told = lived("F12_ended_on_an_unknown_price").await;
    told.plan("free").mrr(0).all_handled();
    assert!(told.names().len() > 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_account_s_subscription_still_ends_and_leaves_mrr() {
    let told = case("F13_ended_after_the_account_was_closed").closing_the_account().told().await;
    told.movements(&["new", "churn"]).mrr(0).all_handled();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_reports_in_one_second_the_one_that_follows_from_the_other_is_the_later() {
    lived("c59_two_updates_in_one_second").await.plan("team").mrr(2_999).all_handled();
}

/// Recorded before 2022: the currency is that of the price.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_names_no_currency_is_read() {
    let told = lived("A27_no_currency_on_the_subscription").await;
    told.plan("creator").mrr(1_999).all_handled().state_of("evt_t000017", &["processed"]);
}

/// 25 units in packages of ten at 10.00: three packages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_that_are_sold_in_packages_are_counted_by_packages() {
    let mut events = documents::events("A27_no_currency_on_the_subscription");
    let subscription = &mut events[0]["data"]["object"];
    subscription["currency"] = json!("usd");
    let item = &mut subscription["items"]["data"][0];
    item["quantity"] = json!(25);
    item["price"]["unit_amount"] = json!(1_000);
    item["price"]["unit_amount_decimal"] = json!("1000");
    item["price"]["transform_quantity"] = json!({ "divide_by": 10, "round": "up" });
    Case::of(events).told().await.mrr(3_000).all_handled();
}
