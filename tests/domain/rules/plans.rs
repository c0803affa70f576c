//! What does a change of plan inside of a paid period give?
//! The difference for the rest of it, rounded down, and no gain in any loop.

use chrono::TimeDelta;
use domain::{
    catalog::Interval,
    time::{Period, Timestamp},
};

use crate::builders::{
    scenario::{Scenario, given, opened_under},
    words::{buy, change_plan, change_plan_of, deduct, month, opened, pay, time, year},
};

fn basic() -> Scenario {
    given([opened()]).at(month(0).start).when(pay("in_1", "basic", month(0)))
}

fn net(scenario: &Scenario) -> i64 {
    scenario.gained()
}

/// The time at which this many of the first month's 30 days have passed.
fn passed(days: i64) -> Timestamp {
    month(0).start.plus(TimeDelta::days(days))
}

#[test]
fn an_upgrade_gives_the_difference_for_the_rest_of_the_month() {
    basic()
        .when(deduct(100))
        .at(passed(10))
        .when(change_plan("in_up", "basic", "creator", passed(10), month(0).end))
        .then_named(["PaymentSucceeded", "InvoicePaid", "CreditsGranted"])
        .then_grant("up:line_in_up", 666, 666)
        .then_available(400 + 666)
        .at(month(0).end)
        .then_available(0);
}

#[test]
fn a_proration_is_floored() {
    let almost = month(0).end.minus(TimeDelta::seconds(2592));
    basic().at(almost).when(change_plan("in_up", "basic", "creator", almost, month(0).end)).then_grant(
        "up:line_in_up",
        1,
        1,
    );
    let later = month(0).end.minus(TimeDelta::seconds(2591));
    basic()
        .at(later)
        .when(change_plan("in_up", "basic", "creator", later, month(0).end))
        .then_no_grant("up:line_in_up");
}

#[test]
fn an_upgrade_that_is_reported_twice_is_granted_once() {
    let change = change_plan("in_up", "basic", "creator", passed(15), month(0).end);
    basic().at(passed(15)).when(change.clone()).when(change).then_nothing().then_available(1000);
}

#[test]
fn an_upgrade_before_the_period_that_it_is_in_ends_the_same() {
    given([opened()])
        .at(passed(15))
        .when(change_plan("in_up", "basic", "creator", passed(15), month(0).end))
        .when(pay("in_1", "basic", month(0)))
        .then_available(1000);
}

#[test]
fn a_downgrade_at_once_takes_the_difference_from_the_allocation() {
    let creator = given([opened()]).at(month(0).start).when(pay("in_1", "creator", month(0)));
    creator
        .at(passed(15))
        .when(change_plan("in_down", "creator", "basic", passed(15), month(0).end))
        .then_named(["PaymentSucceeded", "InvoicePaid", "CreditsClawedBack"])
        .then_available(1000);
}

#[test]
fn a_downgrade_that_is_reported_twice_takes_once() {
    let change = change_plan("in_down", "creator", "basic", passed(15), month(0).end);
    let creator = given([opened()]).at(month(0).start).when(pay("in_1", "creator", month(0)));
    creator.at(passed(15)).when(change.clone()).when(change).then_nothing().then_available(1000);
}

#[test]
fn a_downgrade_takes_no_packs_and_what_was_spent_of_what_money_came_back_for_is_owed() {
    let creator = given([opened()]).at(month(0).start).when(pay("in_1", "creator", month(0)));
    creator
        .when(buy("pi_1", "pack_500", 1, month(0).start))
        .when(deduct(1400))
        .at(passed(15))
        .when(change_plan("in_down", "creator", "basic", passed(15), month(0).end))
        .then_balance(500, 0, 400);
}

#[test]
fn a_loop_of_upgrade_spend_and_downgrade_gains_nothing() {
    let mut scenario = basic().when(deduct(500));
    for round in 0..5 {
        let at = passed(1).plus(TimeDelta::hours(round));
        let up = change_plan(&format!("in_up{round}"), "basic", "creator", at, month(0).end);
        scenario = scenario.at(at).when(up);
        let available = scenario.balance().available.get();
        if available > 0 {
            scenario = scenario.when(deduct(available));
        }
        let down = change_plan(&format!("in_down{round}"), "creator", "basic", at, month(0).end);
        scenario = scenario.when(down);
    }
    assert!(net(&scenario) <= 1500, "{}", net(&scenario));
}

#[test]
fn a_loop_without_spending_gains_nothing_either() {
    let mut scenario = basic();
    for round in 0..5 {
        let at = passed(1).plus(TimeDelta::hours(round));
        scenario = scenario
            .at(at)
            .when(change_plan(&format!("in_up{round}"), "basic", "team", at, month(0).end))
            .when(change_plan(&format!("in_down{round}"), "team", "basic", at, month(0).end));
    }
    assert!(net(&scenario) <= 500, "{}", net(&scenario));
    assert!(scenario.balance().available.get() <= 500);
}

#[test]
fn a_change_inside_a_year_changes_the_later_months() {
    let span = Period { start: passed(15), end: year().end };
    given([opened()])
        .at(month(0).start)
        .when(pay("in_1", "basic", year()))
        .at(passed(15))
        .when(change_plan_of(Interval::Year, "in_up", "basic", "creator", span))
        .then_available(1000)
        .at(month(1).start)
        .settle()
        .then_available(2500)
        .at(month(2).start)
        .settle()
        .then_available(3000)
        .at(year().end)
        .settle()
        .then_available(0);
}

#[test]
fn the_latest_of_two_changes_in_a_month_holds_in_the_later_ones() {
    let change = |invoice: &str, from: &str, to: &str, days: i64| {
        let span = Period { start: passed(days), end: year().end };
        change_plan_of(Interval::Year, invoice, from, to, span)
    };
    let up = change("in_up", "basic", "creator", 5);
    let more = change("in_more", "creator", "team", 10);
    for changes in [[up.clone(), more.clone()], [more, up]] {
        let scenario = given([opened()]).at(passed(10)).when(pay("in_1", "basic", year()));
        let scenario = changes.into_iter().fold(scenario, |scenario, change| scenario.when(change));
        let before = scenario.clone().at(month(1).start.minus(TimeDelta::seconds(1))).settle().balance();
        let after = scenario.at(month(1).start).settle().balance();
        // At most 1,000 roll over into a month of the largest plan.
        assert_eq!(after.available.get(), before.available.get().min(1_000) + 5_000);
    }
}

#[test]
fn a_change_inside_a_year_that_comes_before_the_year_ends_the_same() {
    let span = Period { start: passed(15), end: year().end };
    let change = change_plan_of(Interval::Year, "in_up", "basic", "creator", span);
    given([opened()])
        .at(passed(15))
        .when(change)
        .when(pay("in_1", "basic", year()))
        .then_available(1000)
        .at(month(1).start)
        .settle()
        .then_available(2500);
}

#[test]
fn a_change_that_becomes_known_months_later_makes_them_up() {
    let span = Period { start: passed(15), end: year().end };
    let change = change_plan_of(Interval::Year, "in_up", "basic", "creator", span);
    given([opened()])
        .at(month(0).start)
        .when(pay("in_1", "basic", year()))
        .at(month(1).start)
        .when(change)
        .then_grant("month:sub_1:1751364000", 500, 500)
        .then_grant("up:line_in_up:1751364000", 1000, 1000)
        .at(month(2).start)
        .settle()
        .then_grant("month:sub_1:1754042400", 500, 500)
        .then_grant("up:line_in_up:1754042400", 1000, 1000);
}

#[test]
fn the_share_is_of_the_month_as_it_was_paid_also_when_it_is_short() {
    let february = Period { start: time("2026-01-31T00:00:00Z"), end: time("2026-02-28T00:00:00Z") };
    let half = february.start.plus(TimeDelta::days(14));
    opened_under(crate::builders::catalog::free_nothing())
        .at(february.start)
        .when(pay("in_1", "basic", february))
        .at(half)
        .when(change_plan("in_up", "basic", "creator", half, february.end))
        .then_available(1000);
}
