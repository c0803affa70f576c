//! What does a balance say about the month? What the plan gave, what was spent of it, and when it gives again.

use domain::{account::Allocated, command::SubscriptionChange, subscription::SubscriptionStatus};

use crate::builders::{
    catalog::{credits, free_monthly, rolling_twice},
    scenario::{Scenario, given, opened_under},
    words::{
        buy, day, deduct, ended, evidence, granted_forever, hold, month, opened, pay, pay_for, refund_once,
        report, terms, year,
    },
};

/// What was given and used, and when the next credits are due.
fn told(scenario: &Scenario) -> (i64, i64, Option<i64>) {
    let Allocated { amount, used } = scenario.open().allocated(scenario.clock);
    let next = scenario.open().next_credits_at(scenario.clock, &scenario.catalog);
    (amount.get(), used.get(), next.map(|next| (next.seconds() - day(1).seconds()) / 86_400 + 1))
}

fn subscribed() -> Scenario {
    given([opened(), granted_forever("gift", 1_000)])
        .at(month(0).start)
        .when(report(SubscriptionChange::Started, terms("basic", month(0))))
        .when(pay("in_1", "basic", month(0)))
}

fn end_of(number: u32) -> Option<i64> {
    Some((month(number).end.seconds() - day(1).seconds()) / 86_400 + 1)
}

#[test]
fn what_was_spent_of_the_plan_is_told_apart_from_all_else() {
    let scenario = subscribed();
    assert_eq!(told(&scenario), (500, 0, end_of(0)));
    let scenario = scenario.when(buy("pi_1", "pack_500", 1, month(0).start)).when(deduct(120));
    assert_eq!(told(&scenario), (500, 120, end_of(0)));
    let scenario = scenario.when(hold(100));
    assert_eq!(told(&scenario), (500, 120, end_of(0)), "what is held is not spent");
    let scenario = scenario.when(deduct(800));
    assert_eq!(told(&scenario), (500, 400, end_of(0)), "the rest was given or bought");
}

#[test]
fn a_month_that_nobody_paid_for_yet_is_waited_for_since_it_began() {
    let scenario = subscribed().when(deduct(120)).at(month(1).start).settle();
    assert_eq!(told(&scenario).2, end_of(0), "it would have come then");
    let scenario = scenario.when(report(
        SubscriptionChange::Renewed,
        domain::subscription::SubscriptionState {
            evidence: evidence(month(1).start, 1),
            ..terms("basic", month(1))
        },
    ));
    let scenario = scenario.when(pay("in_2", "basic", month(1)));
    assert_eq!(told(&scenario), (500, 0, end_of(1)));
}

#[test]
fn a_year_gives_month_by_month() {
    let scenario = given([opened()]).at(month(0).start).when(pay("in_1", "basic", year()));
    assert_eq!(told(&scenario), (500, 0, end_of(0)));
    let scenario = scenario.when(deduct(10)).at(month(1).start).settle();
    assert_eq!(told(&scenario), (500, 0, end_of(1)));
    let scenario = scenario.at(month(11).start).settle();
    assert_eq!(told(&scenario), (500, 0, None), "nobody has said that it goes on");
}

#[test]
fn what_was_taken_back_was_not_given() {
    let scenario = subscribed().when(deduct(100)).when(refund_once("re_1", "in_1", 333, day(2)));
    let (allocated, used, _) = told(&scenario);
    assert_eq!((used, scenario.open().allocated(scenario.clock).amount), (100, credits(allocated)));
    assert!(allocated < 500, "{allocated}");
}

#[test]
fn nothing_comes_to_who_leaves() {
    let scenario = subscribed().at(day(3)).when(report(
        SubscriptionChange::CancellationScheduled,
        domain::subscription::SubscriptionState {
            cancel_at: Some(month(0).end),
            evidence: evidence(day(3), 1),
            ..terms("basic", month(0))
        },
    ));
    assert_eq!(told(&scenario), (500, 0, None));
    let gone = report(SubscriptionChange::Ended, ended("basic", month(0), day(4)));
    let scenario = scenario.at(day(4)).when(gone);
    assert_eq!(told(&scenario), (500, 0, None), "what was paid for stays until the end");
    assert_eq!(told(&scenario.at(month(0).end).settle()), (0, 0, None));
}

#[test]
fn a_trial_is_told_as_a_month_is() {
    let scenario = given([opened()]).at(day(1)).when(report(
        SubscriptionChange::TrialStarted,
        domain::subscription::SubscriptionState {
            status: SubscriptionStatus::Trialing,
            trial_end: Some(day(15)),
            period: domain::time::Period { start: day(1), end: day(15) },
            ..terms("team", month(0))
        },
    ));
    assert_eq!(told(&scenario), (200, 0, Some(15)));
}

#[test]
fn several_subscriptions_are_told_together_and_what_was_carried_is_not_given_again() {
    let scenario = opened_under(rolling_twice()).at(month(0).start).when(pay("in_1", "basic", month(0)));
    let scenario = scenario.when(pay_for("sub_2", "in_2", "creator", month(0)));
    assert_eq!(told(&scenario).0, 2_000);
    let scenario = scenario.at(month(1).start).when(pay("in_3", "basic", month(1)));
    assert_eq!(told(&scenario).0, 500, "what was carried on is not of this month");
}

/// The months of the free plan that pass on another plan are not granted later, so no balance announces them.
#[test]
fn a_free_plan_that_gives_each_month_tells_the_next_one() {
    let scenario = opened_under(free_monthly()).at(day(1));
    let (given, used, next) = told(&scenario);
    assert_eq!((given, used), (100, 0));
    assert!(next.is_some(), "it gives each month");
    let scenario = scenario.at(day(2)).when(pay("in_1", "basic", year()));
    let at = scenario.open().next_credits_at(scenario.clock, &scenario.catalog);
    assert_eq!(at, Some(month(1).start), "the plan that was bought gives next");
}
