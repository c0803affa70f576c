//! Changes of plan, seats and interval, and lines that pay for a part of a month.

use super::told::{case, lived};
use crate::support::catalogs;

/// 1,000 more a month for 20 of 30 days are 666, beside the 500 and the 50.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_gives_the_difference_for_the_rest_of_the_month() {
    lived("F3_upgrade_f3none").await.credits(1_216).plan("creator").mrr(1_999).all_handled();
}

/// The line of 0 that gives the first month back says so in `credited_items`: it is no charge.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_of_a_month_that_a_coupon_paid_gives_no_more_than_the_difference() {
    lived("F3_upgrade_f3once").await.credits(1_216).plan("creator").mrr(1_999).all_handled();
}

/// Eight seats: five at one price and three at another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_of_one_plan_and_period_add_up() {
    lived("F5_graduated_tiers").await.credits(50 + 8 * 500).plan("basic").all_handled();
}

/// 1,550 less 1,000 a month for 20 of 30 days.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_downgrade_at_once_ends_the_same_in_either_order() {
    for input in ["F8_downgrade_at_once_in_order", "F8_downgrade_at_once_reversed"] {
        lived(input).await.credits(884).all_handled();
    }
}

/// Three of the 31 days that end with the period, of 500: 48.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stub_until_the_anchor_pays_its_share_in_either_order() {
    for input in ["F8_three_days_until_the_anchor_in_order", "F8_three_days_until_the_anchor_reversed"] {
        lived(input).await.credits(98).plan("basic").all_handled();
    }
}

/// 1.97 for three days of Creator: 145 of the 1,500, although no line says that it is a proration.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stub_pays_its_share_whatever_its_proration_flag() {
    lived("A9_stub_of_three_days_no_proration_flag")
        .await
        .credits(50 + 1_500 * 3 / 31)
        .plan("creator")
        .all_handled();
}

/// Five seats and three seats are given back for eight larger ones: 4,000 and 18 of 30 days of 8,000 more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_credits_beside_one_charge_add_up() {
    lived("A8_flexible_two_credits_one_debit")
        .await
        .credits(50 + 4_000 + 4_800)
        .plan("creator")
        .all_handled();
}

/// Taken by the report of the downgrade, and given back by the invoice of 0.00 that says what was last billed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_downgrade_that_nobody_billed_takes_until_an_invoice_of_nothing_restores() {
    let down = case("A10_down_none_then_up_flexible").until(3).told().await;
    // 22 of 30 days are left of 1,000 more a month.
    down.credits(1_550 - 1_000 * 22 / 30).plan("basic");
    lived("A10_down_none_then_up_flexible").await.credits(1_550).plan("creator").mrr(1_999).all_handled();
}

/// 18 of 30 days of the month go back, and the year begins with a month of its own; the next months follow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_whose_line_is_flagged_as_a_proration_gives_its_months() {
    let told = lived("A11_month_to_year_debit_is_a_proration").await;
    told.credits(50 + 500 - 300 + 500).plan("basic").mrr(832).all_handled();
    let told = told.at("2026-12-27T12:00:00Z").await;
    told.allocated_at("2026-12-27T12:00:00Z", 500).plan("basic");
    let told = told.at("2027-11-01T12:00:00Z").await;
    told.allocated_at("2027-11-01T12:00:00Z", 500).plan("basic");
}

/// 4,500 more a month for 24 of 30 days are 3,600, which the renewal pays: they live as long as the month that it
/// opens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_that_the_renewal_pays_can_be_used_in_the_month_that_it_opens() {
    let told = case("F11_upgrade_billed_at_renewal_no_rollover").under(catalogs::trial()).told().await;
    told.credits(3_600 + 5_000).plan("pro").mrr(2_999).all_handled();
    let told = told.at("2027-01-17T13:05:00Z").await;
    told.credits(3_600 + 5_000);
}
