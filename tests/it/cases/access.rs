//! Who may do what while money is on its way, when it does not come, and when the plan is not sold any more.

use reqwest::StatusCode;
use serde_json::json;

use super::told::{case, lived};

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
