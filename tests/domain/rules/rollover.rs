//! How much of an allocation rolls over at the end of a month? Up to the plan's cap, and the rest expires.

use domain::{
    command::{Excess, SubscriptionChange as Change},
    credits::{AllocationMonth, GrantTerms, Source},
    invoice::LineEffect,
};

use crate::builders::{
    catalog::{credits, plan_id, rolling_twice},
    scenario::{Scenario, given, opened_under},
    words::{
        SUBSCRIPTION, bonus, buy, change_plan, commit, deduct, granted_as, hold_for, hours, invoice_of, line,
        month, opened, pay, pay_for, provider, report, terms,
    },
};

/// An account in its first month of `plan`, with this much of it spent.
fn first_month(plan: &str, spent: i64) -> Scenario {
    let scenario = given([opened()]).at(month(0).start).when(pay("in_1", plan, month(0)));
    if spent == 0 { scenario } else { scenario.when(deduct(spent)) }
}

fn second_month(plan: &str, spent: i64) -> Scenario {
    first_month(plan, spent).at(month(1).start).when(pay("in_2", plan, month(1)))
}

#[test]
fn what_is_unused_rolls_over_into_a_grant_of_its_own() {
    second_month("basic", 200)
        .then_named(["CreditsExpired", "PaymentSucceeded", "InvoicePaid", "CreditsGranted", "CreditsGranted"])
        .then_grant("carry:month:sub_1:1748772000", 300, 300)
        .then_available(800);
}

#[test]
fn what_rolled_over_is_spent_before_the_fresh_allocation() {
    second_month("basic", 200)
        .when(deduct(350))
        .then_grant("carry:month:sub_1:1748772000", 300, 0)
        .then_grant("month:sub_1:1751364000", 500, 450);
}

#[test]
fn what_rolled_over_ends_with_the_month_and_does_not_roll_again() {
    second_month("basic", 0)
        .then_available(1000)
        .when(deduct(500))
        .at(month(2).start)
        .when(pay("in_3", "basic", month(2)))
        .then_available(1000)
        .at(month(3).start)
        .when(pay("in_4", "basic", month(3)))
        .then_available(1000);
}

#[test]
fn a_cap_of_twice_the_allocation_counts_the_fresh_one() {
    second_month("basic", 0).then_available(1000);
    second_month("creator", 0).then_available(3000);
}

#[test]
fn a_cap_can_be_a_number() {
    second_month("team", 0).then_available(6000);
    second_month("team", 4500).then_available(5500);
}

#[test]
fn packs_do_not_roll_over() {
    let scenario = first_month("basic", 0).when(buy("pi_1", "pack_2000", 1, month(0).start));
    scenario.at(month(1).start).when(pay("in_2", "basic", month(1))).then_available(3000);
}

#[test]
fn a_month_that_is_not_paid_carries_nothing_until_it_is() {
    first_month("basic", 100)
        .at(month(1).start)
        .settle()
        .then_available(0)
        .after(hours(72))
        .when(pay("in_2", "basic", month(1)))
        .then_available(900);
}

#[test]
fn another_subscription_gets_nothing_carried() {
    first_month("basic", 0)
        .at(month(1).start)
        .when(pay_for("sub_2", "in_2", "basic", month(1)))
        .then_available(500);
}

#[test]
fn what_a_hold_returns_after_the_boundary_still_rolls_over() {
    let late = month(1).start.minus(hours(1));
    given([opened()])
        .at(month(0).start)
        .when(pay("in_1", "basic", month(0)))
        .at(late)
        .when(hold_for(400, 7200))
        .at(month(1).start)
        .when(pay("in_2", "basic", month(1)))
        .then_balance(600, 400, 0)
        .when(commit("hold_5", Some(100), Excess::Reject))
        .then_named(["HoldCommitted", "CreditsExpired", "CreditsGranted"])
        .then_balance(900, 0, 0);
}

#[test]
fn all_that_was_carried_stays_within_the_cap() {
    let scenario = given([opened()])
        .at(month(0).start)
        .when(pay("in_1", "team", month(0)))
        .at(month(1).start.minus(hours(1)))
        .when(hold_for(4500, 7200))
        .at(month(1).start)
        .when(pay("in_2", "team", month(1)))
        .after(hours(2))
        .settle();
    let rolled = scenario.grants().into_iter().filter(|grant| grant.terms.source == Source::Rollover);
    assert_eq!(rolled.map(|grant| grant.terms.amount.get()).sum::<i64>(), 1000);
    scenario.then_available(6000);
}

#[test]
fn the_new_plans_cap_holds_after_a_change_at_the_boundary() {
    first_month("creator", 0).at(month(1).start).when(pay("in_2", "basic", month(1))).then_available(1000);
}

#[test]
fn months_that_become_known_in_the_wrong_order_roll_over_the_same() {
    let scenario = given([opened()]).at(month(1).start);
    scenario
        .when(pay("in_2", "basic", month(1)))
        .then_available(500)
        .when(pay("in_1", "basic", month(0)))
        .then_available(1000);
}

/// The second part of one grant would have the same id as the first part of another.
/// A random test found an invoice that was refused because of that.
#[test]
fn parts_that_would_have_one_name_are_all_carried() {
    let allocation = |id: &str, number: u32, amount: i64, carry_max: Option<i64>| {
        let slot = AllocationMonth {
            subscription: provider(SUBSCRIPTION),
            plan: plan_id("basic"),
            period: month(number),
            allocation: credits(amount),
            carry_max: carry_max.map(credits),
            carried_from: None,
            paid_month_end: None,
        };
        let (starts_at, expires_at, slot) = (month(number).start, Some(month(number).end), Some(slot));
        let source = Source::Allocation;
        granted_as(GrantTerms { source, starts_at, expires_at, slot, ..bonus(id, amount) })
    };
    let next = allocation("month:sub_1:next", 1, 500, Some(500));
    given([opened(), allocation("up:line", 0, 100, None), allocation("up:line:1", 0, 100, None), next])
        .at(month(0).end.minus(hours(1)))
        .when(hold_for(50, 7_200))
        .at(month(1).start)
        .settle()
        .then_grant("carry:up:line", 50, 50)
        .then_grant("carry:up:line:1", 100, 100)
        .at(month(1).start.plus(hours(2)))
        .settle()
        .then_grant("carry:up:line:2", 50, 50);
}

/// Two parts of one grant rolled over into a month that is given back: both are taken back at once, and live as long as
/// the grant that they came from.
/// A random test found an invoice that was refused because of that.
#[test]
fn what_was_carried_in_two_parts_is_taken_back_at_once() {
    let start = month(1).start;
    let left = line("credit", "creator", month(1), LineEffect::Credit, -1_666);
    opened_under(rolling_twice())
        .at(month(0).start)
        .when(report(Change::Started, terms("creator", month(0))))
        .when(pay("in_1", "creator", month(0)))
        .at(start)
        .when(report(Change::Renewed, terms("basic", month(1))))
        .when(pay("in_2", "basic", month(1)))
        .when(change_plan("in_3", "basic", "creator", start, month(1).end))
        .then_grant("carry:month:sub_1:1748772000", 500, 500)
        .then_grant("carry:month:sub_1:1748772000:1", 1_000, 1_000)
        .when(invoice_of(SUBSCRIPTION, "in_4", vec![left], start))
        .then_accepted()
        .then_grant("carry:month:sub_1:1748772000", 500, 0)
        .then_grant("carry:month:sub_1:1748772000:1", 1_000, 0)
        .then_grant("month:sub_1:1748772000", 1_500, 1_500);
}
