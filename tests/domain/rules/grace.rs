//! For how long does a plan hold after a payment has failed?

use domain::{
    command::SubscriptionChange as Change,
    subscription::{SubscriptionState, SubscriptionStatus},
    time::Timestamp,
};

use crate::builders::{
    catalog::{catalog, free_monthly},
    scenario::{Scenario, opened_under},
    words::{self, day, evidence, hours, month, pay, report},
};

/// Three days of grace, from each first report.
fn past_due(at: Timestamp) -> SubscriptionState {
    SubscriptionState {
        status: SubscriptionStatus::PastDue,
        grace_days: Some(3),
        evidence: evidence(at, 1),
        ..words::terms("basic", month(1))
    }
}

fn active(at: Timestamp) -> SubscriptionState {
    SubscriptionState { evidence: evidence(at, 1), ..words::terms("basic", month(1)) }
}

fn failed_at() -> Timestamp {
    month(1).start.plus(hours(1))
}

/// The first month was paid, and the payment of the second failed.
fn failed() -> Scenario {
    opened_under(catalog())
        .at(month(0).start)
        .when(report(Change::Started, words::terms("basic", month(0))))
        .when(pay("in_1", "basic", month(0)))
        .at(failed_at())
        .when(report(Change::PastDue, past_due(failed_at())))
}

#[test]
fn the_plan_holds_for_the_days_of_grace_and_then_the_free_plan() {
    failed()
        .then_on_plan("basic")
        .at(failed_at().plus(hours(72)).minus(chrono::TimeDelta::seconds(1)))
        .then_on_plan("basic")
        .at(failed_at().plus(hours(72)))
        .then_on_plan("free");
}

#[test]
fn a_later_report_of_the_same_arrears_gives_no_more_days() {
    let again = failed().at(failed_at().plus(hours(48)));
    let again = again.when(report(Change::PastDue, past_due(failed_at().plus(hours(48)))));
    again.at(failed_at().plus(hours(72))).then_on_plan("free");
}

#[test]
fn the_days_are_counted_from_the_first_report_in_whatever_order_they_come() {
    let reports = [failed_at(), failed_at().plus(hours(24)), failed_at().plus(hours(48))];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let start = opened_under(catalog()).at(failed_at().plus(hours(48)));
        let scenario = order.iter().fold(start, |scenario, index: &usize| {
            scenario.when(report(Change::PastDue, past_due(reports[*index])))
        });
        scenario.then_on_plan("basic").at(failed_at().plus(hours(72))).then_on_plan("free");
    }
}

#[test]
fn what_was_settled_in_between_begins_new_days_in_whatever_order_it_is_told() {
    let second = failed_at().plus(hours(100));
    let reports = [
        report(Change::PastDue, past_due(failed_at())),
        report(Change::Recovered, active(failed_at().plus(hours(50)))),
        report(Change::PastDue, past_due(second)),
    ];
    for order in [[0, 1, 2], [2, 1, 0], [2, 0, 1], [1, 0, 2]] {
        let start = opened_under(catalog()).at(second);
        let scenario =
            order.iter().fold(start, |scenario, index: &usize| scenario.when(reports[*index].clone()));
        scenario
            .at(second.plus(hours(71)))
            .then_on_plan("basic")
            .at(second.plus(hours(72)))
            .then_on_plan("free");
    }
}

#[test]
fn the_plan_is_back_when_the_period_is_paid_even_before_that_is_reported() {
    failed()
        .at(failed_at().plus(hours(96)))
        .then_on_plan("free")
        .when(pay("in_2", "basic", month(1)))
        .then_on_plan("basic")
        .when(report(Change::Recovered, active(failed_at().plus(hours(96)))))
        .then_on_plan("basic");
}

/// A free plan that gives credits each month does so from then on, and what is left of its last month rolls over.
#[test]
fn a_free_plan_begins_when_the_grace_is_over() {
    let failed = opened_under(free_monthly())
        .at(month(0).start)
        .when(report(Change::Started, words::terms("basic", month(0))))
        .when(pay("in_1", "basic", month(0)))
        .at(failed_at())
        .when(report(Change::PastDue, past_due(failed_at())));
    let before = failed.clone().at(failed_at().plus(hours(71))).settle().balance();
    let after = failed.at(failed_at().plus(hours(72))).settle().balance();
    // What is left of the paid month can be spent until the grace is over, and then the free plan begins.
    assert_eq!(after.available.get() - before.available.get(), 100 + 100 - 500);
}

#[test]
fn arrears_of_an_older_release_have_no_end() {
    let without = SubscriptionState { grace_days: None, ..past_due(failed_at()) };
    let scenario = opened_under(catalog()).at(failed_at()).when(report(Change::PastDue, without));
    scenario.at(day(90)).then_on_plan("basic");
}

#[test]
fn what_is_past_due_counts_in_the_revenue_until_it_is_unpaid() {
    let due = past_due(failed_at());
    let as_if = |status| SubscriptionState { status, ..due.clone() };
    let counts = [SubscriptionStatus::PastDue, SubscriptionStatus::Unpaid, SubscriptionStatus::Cancelled]
        .map(|status| as_if(status).is_revenue());
    assert_eq!(counts, [true, false, false]);
}
