//! Do limits count generations and credits correctly? In calendar or rolling windows, in the step that deducts.

use chrono::TimeDelta;
use domain::{
    catalog::{Catalog, Limit, Measure, WindowKind},
    command::{Command, CreditsCommand, HoldFor, InvoiceLine, SubscriptionChange},
    invoice::LineEffect,
    limits::LimitState,
    refusal::Refusal,
    subscription::SubscriptionState,
    time::{CalendarUnit, Timestamp},
};

use crate::builders::{
    catalog::{in_zone, limit, limited, plan_id},
    scenario::{Scenario, given},
    words::{
        SUBSCRIPTION, day, deduct, generate, generation, granted_forever, hours, invoice_of, line, month,
        opened, pay, release, report, terms, time,
    },
};

fn rich(catalog: Catalog) -> Scenario {
    given([opened(), granted_forever("a", 1_000_000)]).under(catalog)
}

/// The free plan with this limit of 10 credits or generations.
fn ten(measure: Measure, unit: CalendarUnit, window: WindowKind) -> Scenario {
    rich(limited("free", vec![limit(measure, unit, window, 10)]))
}

fn five_generations(scenario: Scenario) -> Scenario {
    (0..5).fold(scenario, |scenario, _| scenario.when(generate("standard")).then_accepted())
}

#[track_caller]
fn limit_reached(scenario: &Scenario) -> (&LimitState, u64) {
    match scenario.refusal() {
        Refusal::LimitReached { limit, requested, .. } => (limit, *requested),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refusal_says_the_rule_what_is_left_when_it_resets_and_the_plans_that_would_allow_it() {
    let scenario = five_generations(rich(in_zone(chrono_tz::UTC)).at(day(0).plus(hours(7))));
    let scenario = scenario.when(generate("standard"));
    let daily = limit(Measure::Generations, CalendarUnit::Day, WindowKind::Calendar, 5);
    let state = LimitState { key: daily.key(), max: 5, used: 5, remaining: 0, resets_at: day(1) };
    scenario.then_refused(Refusal::LimitReached {
        limit: state.clone(),
        requested: 1,
        windows: vec![state],
        plan: plan_id("free"),
        plans: vec![plan_id("basic"), plan_id("creator"), plan_id("team")],
    });
}

/// The plan `basic` with three generations a day for each seat.
fn three_a_seat() -> Scenario {
    let mut daily = limit(Measure::Generations, CalendarUnit::Day, WindowKind::Calendar, 3);
    daily.per_seat = true;
    rich(limited("basic", vec![daily])).at(month(0).start)
}

fn seats(quantity: u32) -> Command {
    report(SubscriptionChange::Started, SubscriptionState { quantity, ..terms("basic", month(0)) })
}

fn paid_seats(invoice: &str, quantity: u32) -> Command {
    let charge = line(&format!("line_{invoice}"), "basic", month(0), LineEffect::Charge, 999);
    invoice_of(SUBSCRIPTION, invoice, vec![InvoiceLine { quantity, ..charge }], month(0).start)
}

fn daily_max(scenario: &Scenario) -> u64 {
    let account = scenario.account.opened().expect("it is open");
    account.terms(scenario.clock, &scenario.catalog).expect("a plan").limits[0].max
}

#[test]
fn a_limit_of_each_seat_is_as_large_as_the_seats_that_were_paid_for() {
    let scenario = three_a_seat().when(seats(4)).then_accepted();
    assert_eq!(daily_max(&scenario), 12, "nothing is known of any payment: as many as are reported");
    let paid = scenario.when(paid_seats("in_1", 2)).then_accepted();
    assert_eq!(daily_max(&paid), 6, "two of four were paid for");
    let scenario = (0..6).fold(paid, |scenario, _| scenario.when(generate("standard")).then_accepted());
    let refused = scenario.when(generate("standard"));
    let (state, _) = limit_reached(&refused);
    assert_eq!((state.max, state.used, state.remaining), (6, 6, 0));
    let more = refused.when(paid_seats("in_2", 2)).then_accepted();
    assert_eq!(daily_max(&more), 12, "the others are paid for later");
    more.when(generate("standard")).then_accepted();
}

#[test]
fn a_limit_that_is_not_of_each_seat_is_the_same_for_all_of_them() {
    let daily = limit(Measure::Generations, CalendarUnit::Day, WindowKind::Calendar, 3);
    let scenario = rich(limited("basic", vec![daily])).at(month(0).start);
    let scenario = scenario.when(seats(4)).then_accepted().when(paid_seats("in_1", 4)).then_accepted();
    assert_eq!(daily_max(&scenario), 3);
}

/// A plan that is no longer known keeps some limits: those of the free plan.
#[test]
fn on_a_plan_that_no_catalog_has_the_limits_of_the_free_plan_hold() {
    let mut fewer = in_zone(chrono_tz::UTC);
    fewer.plans.retain(|plan| plan.id == plan_id("free"));
    let scenario = given([opened(), granted_forever("a", 1_000_000)])
        .at(month(0).start)
        .when(report(SubscriptionChange::Started, terms("basic", month(0))))
        .under(fewer)
        .then_on_plan("basic");
    let scenario = five_generations(scenario).when(generate("standard"));
    assert_eq!(limit_reached(&scenario).0.max, 5);
}

#[test]
fn the_plans_that_would_allow_it_have_the_features_too() {
    let catalog =
        limited("creator", vec![limit(Measure::Generations, CalendarUnit::Day, WindowKind::Calendar, 1)]);
    let scenario = rich(catalog)
        .at(month(0).start)
        .when(report(SubscriptionChange::Started, terms("creator", month(0))))
        .when(generate("stems"))
        .then_accepted()
        .when(generate("stems"));
    assert!(
        matches!(scenario.refusal(), Refusal::LimitReached { plans, .. } if *plans == [plan_id("team")]),
        "{:?}",
        scenario.refusal()
    );
}

#[test]
fn a_day_is_the_catalogs_day() {
    // Midnight in Berlin is 22:00 in UTC during the summer.
    let scenario =
        five_generations(rich(in_zone(chrono_tz::Europe::Berlin)).at(time("2025-06-10T21:59:59Z")));
    let scenario = scenario.when(generate("standard"));
    assert_eq!(limit_reached(&scenario).0.resets_at, time("2025-06-10T22:00:00Z"));
    five_generations(scenario.at(time("2025-06-10T22:00:00Z")));
}

/// When the day around `at` begins and ends in Berlin.
fn berlin(unit: CalendarUnit, at: &str) -> (Timestamp, Timestamp) {
    let period = unit.around(time(at), chrono_tz::Europe::Berlin);
    (period.start, period.end)
}

#[test]
fn a_day_on_which_the_clocks_change_is_one_day() {
    let spring = berlin(CalendarUnit::Day, "2025-03-30T12:00:00Z");
    assert_eq!(spring, (time("2025-03-29T23:00:00Z"), time("2025-03-30T22:00:00Z")));
    let autumn = berlin(CalendarUnit::Day, "2025-10-26T12:00:00Z");
    assert_eq!(autumn, (time("2025-10-25T22:00:00Z"), time("2025-10-26T23:00:00Z")));
}

#[test]
fn a_day_without_midnight_begins_at_its_first_instant() {
    // In São Paulo the clocks went from 23:59:59 to 01:00 on 4 November 2018.
    let zone = chrono_tz::America::Sao_Paulo;
    let period = CalendarUnit::Day.around(time("2018-11-04T12:00:00Z"), zone);
    assert_eq!(period.start, time("2018-11-04T03:00:00Z"));
    assert_eq!(CalendarUnit::Day.around(time("2018-11-03T12:00:00Z"), zone).end, period.start);
}

#[test]
fn a_midnight_that_comes_twice_begins_the_day_the_first_time() {
    // In Havana the clocks went from 01:00 back to 00:00 on 2 November 2025.
    let zone = chrono_tz::America::Havana;
    let period = CalendarUnit::Day.around(time("2025-11-02T12:00:00Z"), zone);
    assert_eq!(period.start, time("2025-11-02T04:00:00Z"));
    assert_eq!(CalendarUnit::Day.around(time("2025-11-02T05:30:00Z"), zone), period);
}

#[test]
fn weeks_begin_on_monday_and_months_on_the_first() {
    let week = berlin(CalendarUnit::Week, "2025-06-11T00:00:00Z");
    assert_eq!(week, (time("2025-06-08T22:00:00Z"), time("2025-06-15T22:00:00Z")));
    let month = berlin(CalendarUnit::Month, "2025-03-15T00:00:00Z");
    assert_eq!(month, (time("2025-02-28T23:00:00Z"), time("2025-03-31T22:00:00Z")));
}

#[test]
fn credits_are_limited_over_days_weeks_and_months() {
    for (unit, inside, outside) in [
        (CalendarUnit::Day, "2025-06-02T21:59:59Z", "2025-06-02T22:00:00Z"),
        (CalendarUnit::Week, "2025-06-08T21:59:59Z", "2025-06-08T22:00:00Z"),
        (CalendarUnit::Month, "2025-06-30T21:59:59Z", "2025-06-30T22:00:00Z"),
    ] {
        let scenario = ten(Measure::Credits, unit, WindowKind::Calendar).at(time("2025-06-02T10:00:00Z"));
        let scenario = scenario.when(deduct(7)).then_accepted().at(time(inside)).when(deduct(4));
        let (state, requested) = limit_reached(&scenario);
        assert_eq!((state.used, state.remaining, requested), (7, 3, 4));
        assert_eq!(state.resets_at, time(outside));
        scenario.when(deduct(3)).then_accepted().at(time(outside)).when(deduct(10)).then_accepted();
    }
}

#[test]
fn a_rolling_limit_is_never_exceeded_in_any_span_of_its_length() {
    let scenario =
        ten(Measure::Credits, CalendarUnit::Day, WindowKind::Rolling).at(time("2025-06-02T10:07:00Z"));
    let scenario = scenario.when(deduct(10)).at(time("2025-06-03T10:07:00Z")).when(deduct(1));
    let resets_at = limit_reached(&scenario).0.resets_at;
    assert_eq!(resets_at, time("2025-06-03T10:15:00Z"), "a part of a quarter of an hour leaves as a whole");
    scenario
        .at(resets_at.minus(TimeDelta::microseconds(1)))
        .when(deduct(1))
        .at(resets_at)
        .when(deduct(10))
        .then_accepted();
}

#[test]
fn a_rolling_limit_relaxes_part_by_part() {
    let scenario =
        ten(Measure::Credits, CalendarUnit::Day, WindowKind::Rolling).at(time("2025-06-02T10:00:00Z"));
    let scenario = scenario.when(deduct(4)).after(hours(2)).when(deduct(6)).at(time("2025-06-03T11:00:00Z"));
    let scenario = scenario.when(deduct(5));
    assert_eq!(limit_reached(&scenario).0.remaining, 4);
    scenario.when(deduct(4)).then_accepted();
}

#[test]
fn every_limit_must_allow_it() {
    let limits: Vec<Limit> = vec![
        limit(Measure::Credits, CalendarUnit::Day, WindowKind::Calendar, 10),
        limit(Measure::Credits, CalendarUnit::Month, WindowKind::Calendar, 15),
    ];
    let scenario = rich(limited("free", limits)).when(deduct(10)).at(day(1)).when(deduct(6));
    assert_eq!(limit_reached(&scenario).0.key.unit, CalendarUnit::Month);
    assert!(matches!(scenario.refusal(), Refusal::LimitReached { windows, .. } if windows.len() == 2));
    scenario.when(deduct(5)).then_accepted();
}

#[test]
fn an_amount_that_the_caller_names_is_no_generation() {
    let scenario =
        (0..9).fold(rich(crate::builders::catalog::catalog()), |scenario, _| scenario.when(deduct(1)));
    scenario.then_accepted();
}

#[test]
fn a_hold_counts_at_once_and_no_more_once_it_is_released() {
    let held = Command::Credits(CreditsCommand::HoldCredits {
        what: HoldFor::Generation(generation("standard", &[])),
        expires_in_s: None,
    });
    let four = (0..4)
        .fold(rich(crate::builders::catalog::catalog()), |scenario, _| scenario.when(generate("standard")));
    let scenario = four.when(held).then_accepted().when(generate("standard"));
    limit_reached(&scenario);
    scenario.when(release("hold_7")).when(generate("standard")).then_accepted();
}

#[test]
fn committing_less_gives_back_credits_of_the_window_but_not_the_generation() {
    use domain::command::Excess;
    let scenario = ten(Measure::Credits, CalendarUnit::Day, WindowKind::Calendar)
        .when(crate::builders::words::hold(10))
        .when(crate::builders::words::commit("hold_3", Some(4), Excess::Reject));
    let scenario = scenario.when(deduct(7));
    assert_eq!(limit_reached(&scenario).0.remaining, 6);
    scenario.when(deduct(6)).then_accepted();
}

#[test]
fn a_change_of_plan_finds_what_was_used_today() {
    let scenario = five_generations(rich(crate::builders::catalog::catalog()).at(month(0).start));
    let scenario = scenario.when(report(SubscriptionChange::Started, terms("basic", month(0)))).when(pay(
        "in_1",
        "basic",
        month(0),
    ));
    let scenario = (5..50).fold(scenario, |scenario, _| scenario.when(generate("standard")).then_accepted());
    let scenario = scenario.when(generate("standard"));
    assert_eq!(limit_reached(&scenario).0.used, 50);
}

#[test]
fn a_refused_generation_counts_nowhere() {
    let scenario = given([opened(), granted_forever("a", 4)]).when(generate("standard"));
    let scenario = scenario.when(generate("standard")).when(crate::builders::words::grant("b", 100, None));
    five_generations(scenario);
}
