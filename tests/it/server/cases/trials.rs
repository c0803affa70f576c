//! Trials: longer, changed inside, and ended early.

use chrono::TimeDelta;

use super::told::{case, lived};
use crate::support::catalogs;

/// The first report says the 14th day, and the second one the 30th.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_that_is_extended_keeps_its_credits() {
    let trial = || case("F10_trial_extended").under(catalogs::trial());
    trial().later(TimeDelta::days(15)).told().await.credits(1_000).plan("pro").all_handled();
    trial().later(TimeDelta::days(31)).told().await.credits(0);
    let told = trial().told().await;
    told.credits(1_000);
    told.at("2026-12-11T13:22:00Z").await.credits(1_000).plan("pro");
}

/// Lines of 0.00 inside of a trial pay for nothing, and the music platform's trials give nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_inside_of_a_trial_gives_nothing_before_something_is_paid() {
    lived("F4_plan_changed_in_trial").await.credits(50).plan("team").mrr(0).all_handled();
}

/// The trial's rest is given back by a line of 0.00, and the larger plan is paid for in full.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_that_a_change_of_plan_ends_gives_the_month_that_is_paid() {
    for input in ["A15_in_order", "A15_reversed"] {
        lived(input).await.credits(1_550).plan("creator").mrr(1_999).all_handled();
    }
}
