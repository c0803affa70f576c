//! What happens when monthly becomes yearly, or yearly monthly? The rest is given back, and its credits are taken back.

use chrono::TimeDelta;
use domain::{
    catalog::Interval,
    command::{Command, SubscriptionChange as Change},
    time::{Period, Timestamp},
};

use crate::builders::{
    scenario::{Scenario, given},
    words::{
        SUBSCRIPTION, close_dispute, deduct, month, opened, pay, refund_payment, report, switch, terms, year,
    },
};

fn months(start: Timestamp, number: u32) -> Period {
    Period { start, end: start.plus_months(number) }
}

fn passed(days: i64) -> Timestamp {
    month(0).start.plus(TimeDelta::days(days))
}

fn basic() -> Scenario {
    given([opened()]).at(month(0).start).when(pay("in_1", "basic", month(0)))
}

fn to_a_year(invoice: &str, plan: &str, at: Timestamp) -> Command {
    switch(invoice, (plan, Interval::Month, month(0)), plan, months(at, 12))
}

#[test]
fn what_is_there_of_the_rest_of_the_month_is_taken_from_it() {
    basic()
        .when(deduct(100))
        .at(passed(15))
        .when(to_a_year("in_2", "basic", passed(15)))
        .then_available(400 - 250 + 500)
        // The first half of June ends with June, and does not roll over into a month of the year.
        .at(month(0).end)
        .settle()
        .then_available(500);
}

#[test]
fn what_was_spent_of_it_is_what_the_year_begins_with_less() {
    basic()
        .when(deduct(450))
        .at(passed(15))
        .when(to_a_year("in_2", "basic", passed(15)))
        .then_available(500 - 200)
        // Its second month is whole, and what is left of its first rolls over into it.
        .at(passed(15).plus_months(1))
        .settle()
        .then_available(300 + 500);
}

#[test]
fn a_year_that_becomes_a_month_gives_nothing_in_its_later_months() {
    let scenario = given([opened()]).at(month(0).start).when(pay("in_1", "basic", year()));
    let begun = months(passed(45), 1);
    let second = month(1).end.seconds() - begun.start.seconds();
    let rest = 500 * second / (month(1).end.seconds() - month(1).start.seconds());
    scenario
        .at(passed(45))
        .settle()
        .then_available(1_000)
        .when(switch("in_2", ("basic", Interval::Year, year()), "basic", begun))
        .then_available(500 + 500 - rest + 500)
        .at(begun.end)
        .settle()
        .then_available(0)
        .at(year().end)
        .settle()
        .then_available(0);
}

/// The month that was left is not a part of the paid periods: it neither ends nor extends the bridge.
#[test]
fn the_month_that_a_year_was_left_for_is_bridged_to_the_next_one() {
    let begun = months(passed(45), 1);
    let scenario = given([opened()]).at(month(0).start).when(report(Change::Started, terms("basic", year())));
    let scenario = scenario.when(pay("in_1", "basic", year())).at(passed(45)).settle();
    let scenario = scenario.when(switch("in_2", ("basic", Interval::Year, year()), "basic", begun));
    let scenario = scenario.when(report(Change::PlanChanged { from: None }, terms("basic", begun)));
    let scenario = scenario.at(begun.end).when(report(Change::Renewed, terms("basic", months(begun.end, 1))));
    scenario
        .at(begun.end.plus(TimeDelta::days(20)))
        .settle()
        .then_on_plan("basic")
        .then_available(500)
        .at(begun.end.plus(TimeDelta::days(21)))
        .settle()
        .then_on_plan("free")
        .then_available(0);
}

#[test]
fn a_year_that_was_left_and_a_year_that_is_begun_again_do_not_disturb_each_other() {
    let back = months(passed(46), 12);
    let scenario = given([opened()]).at(month(0).start).when(pay("in_1", "basic", year()));
    let once = months(passed(45), 1);
    let mut scenario = scenario
        .at(passed(45))
        .when(switch("in_2", ("basic", Interval::Year, year()), "basic", once))
        .at(passed(46))
        .when(switch("in_3", ("basic", Interval::Month, once), "basic", back));
    for number in 2..12 {
        scenario = scenario.at(back.start.plus_months(number)).settle().then_available(1_000);
    }
}

#[test]
fn to_and_fro_and_spending_in_between_gains_nothing() {
    let mut scenario = given([opened()]).at(month(0).start).when(pay("in_0", "team", month(0)));
    let mut held = ("team", Interval::Month, month(0));
    for round in 1..8_i64 {
        let at = month(0).start.plus(TimeDelta::minutes(round));
        let to = if round % 2 == 0 { "team" } else { "basic" };
        let interval = if round % 2 == 0 { Interval::Month } else { Interval::Year };
        let available = scenario.balance().available.get();
        if available > 0 {
            scenario = scenario.when(deduct(available));
        }
        let begun = months(at, interval.months());
        scenario = scenario.at(at).when(switch(&format!("in_{round}"), held, to, begun));
        held = (to, interval, begun);
    }
    // Credits that were spent and given back are owed, and the first month of the last plan has begun.
    // A few minutes of the plans in between are added.
    let net = scenario.gained();
    assert!((500..520).contains(&net), "{net}");
}

#[test]
fn a_plan_that_is_left_is_not_held_after_the_next_one_has_ended() {
    let begun = months(passed(45), 1);
    let scenario = given([opened()])
        .at(month(0).start)
        .when(pay("in_1", "basic", year()))
        .at(passed(45))
        .when(switch("in_2", ("basic", Interval::Year, year()), "creator", begun));
    let at = begun.end.plus(TimeDelta::hours(1));
    scenario.at(at).then_on_plan("free");
}

/// When the year is refunded, the rest of the month is returned, and pays for what was spent of the year.
#[test]
fn what_comes_back_of_the_month_pays_what_was_spent_of_the_year() {
    let at = passed(15);
    let lost = close_dispute("dp_1", "in_2", false, at);
    let year = basic().when(deduct(500)).at(at).when(to_a_year("in_2", "basic", at));
    let spent = year.then_available(250).when(deduct(250));
    spent.when(lost).then_balance(0, 0, 250);
}

/// The unused part of the year is refunded to the card, although an invoice has already given it back.
#[test]
fn a_refund_of_what_was_left_takes_nothing_of_what_is_paid_for_later() {
    let begun = months(passed(45), 1);
    let next = months(begun.end, 1);
    given([opened()])
        .at(month(0).start)
        .when(pay("in_1", "basic", year()))
        .at(passed(45))
        .settle()
        .when(switch("in_2", ("basic", Interval::Year, year()), "basic", begun))
        .when(refund_payment("in_1", 800, 999, passed(45)))
        .then_grant(&format!("month:{SUBSCRIPTION}:{}", begun.start.seconds()), 500, 500)
        .at(next.start)
        .when(pay("in_3", "basic", next))
        .then_grant(&format!("month:{SUBSCRIPTION}:{}", next.start.seconds()), 500, 500)
        .then_on_plan("basic");
}

#[test]
fn a_year_that_is_paid_for_gives_its_plan_though_the_month_before_it_was_refunded() {
    let at = passed(10);
    basic()
        .at(at)
        .when(to_a_year("in_2", "basic", at))
        .when(refund_payment("in_1", 999, 999, at))
        .then_on_plan("basic")
        .then_available(500);
}

/// The year was refunded, so its months are not paid: the month before it ends, and nothing rolls over.
#[test]
fn nothing_is_carried_into_a_year_whose_money_went_back() {
    let at = passed(10);
    let year = basic().at(at).when(to_a_year("in_2", "basic", at));
    year.when(refund_payment("in_2", 999, 999, at))
        .then_available(500)
        .at(month(0).end)
        .settle()
        .then_available(0);
}
