//! What do accounts that move in have, and is nothing of it granted a second time?

use chrono::TimeDelta;
use domain::{
    catalog::{Interval, Measure, WindowKind},
    command::{AccountCommand, Command, SubscriptionChange},
    credits::Source,
    event::{AccountEvent, CreditsEvent, Event},
    invoice::LineEffect,
    moving::{ImportAccount, MovedGrant, Used},
    refusal::Refusal,
    subscription::SubscriptionStatus,
    time::{CalendarUnit, Timestamp},
};

use crate::builders::{
    catalog::{credits, forgiving, free_monthly, limit, limited, plan_id, rolling_twice, usd},
    scenario::{Scenario, given},
    words::{
        self, SUBSCRIPTION, buy, change_plan, deduct, evidence, generate, invoice_of, line, month, moved,
        moved_month, opened, pay, provider, refund_payment, report, terms, time, year,
    },
};

/// Ten days into the first month.
fn moved_at() -> Timestamp {
    month(0).start.plus(TimeDelta::days(10))
}

/// What is left of the first month of a plan.
fn left_of_month(plan: &str, amount: i64) -> MovedGrant {
    MovedGrant { granted_at: Some(month(0).start), ..moved_month(SUBSCRIPTION, plan, amount, month(0).end) }
}

fn import(grants: impl Into<Vec<MovedGrant>>) -> Command {
    words::import(ImportAccount {
        customer: Some(provider("cus_1")),
        grants: grants.into(),
        ..ImportAccount::default()
    })
}

fn brought(grants: impl Into<Vec<MovedGrant>>) -> Scenario {
    given([]).at(moved_at()).when(import(grants))
}

#[test]
fn an_account_has_what_it_had_and_nothing_for_signing_up() {
    let pack = MovedGrant {
        cost: Some(usd(300)),
        granted_at: Some(time("2025-03-01T00:00:00Z")),
        ..moved("pack", Source::TopUp, 150)
    };
    brought([pack, left_of_month("basic", 300)])
        .then_named(["AccountOpened", "CustomerLinked", "CreditsGranted", "CreditsGranted"])
        .then_grant("pack", 150, 150)
        .then_grant("month", 300, 300)
        .then_available(450)
        .at(month(0).end.plus(TimeDelta::seconds(1)))
        .settle()
        .then_available(150);
}

#[test]
fn an_account_that_is_open_takes_no_import() {
    let command = import([moved("bonus", Source::Bonus, 10)]);
    given([opened()]).when(command.clone()).then_refused(Refusal::AccountAlreadyOpen);
    brought([]).when(command).then_refused(Refusal::AccountAlreadyOpen);
    brought([]).when(Command::Account(AccountCommand::OpenAccount)).then_nothing();
}

#[test]
fn a_grant_that_is_over_a_name_of_the_rules_and_a_plan_that_nobody_knows_are_refused() {
    let over = MovedGrant { expires_at: Some(moved_at()), ..moved("old", Source::Bonus, 10) };
    brought([over]).then_refused(Refusal::GrantHasEnded);
    brought([moved("signup", Source::Signup, 10)]).then_refused(Refusal::GrantAlreadyExists);
    let twice = [moved("one", Source::Bonus, 10), moved("one", Source::Bonus, 10)];
    brought(twice).then_refused(Refusal::GrantAlreadyExists);
    brought([left_of_month("gold", 1)]).then_refused(Refusal::UnknownPlan { plan: plan_id("gold") });
}

#[test]
fn the_running_month_is_not_granted_again_and_the_next_one_is() {
    brought([left_of_month("basic", 300)])
        .when(report(SubscriptionChange::Started, terms("basic", month(0))))
        .when(pay("in_1", "basic", month(0)))
        .then_named(["PaymentSucceeded", "InvoicePaid"])
        .then_available(300)
        .when(pay("in_1", "basic", month(0)))
        .then_nothing()
        .at(month(1).start)
        .when(pay("in_2", "basic", month(1)))
        .then_available(300 + 500);
}

#[test]
fn a_month_of_which_only_the_next_invoice_is_told_keeps_what_it_brought() {
    brought([left_of_month("basic", 300)])
        .when(deduct(100))
        .at(month(0).end.minus(TimeDelta::hours(1)))
        .when(pay("in_2", "basic", month(1)))
        .then_available(200)
        .at(month(1).start)
        .settle()
        .then_available(200 + 500)
        .when(pay("in_1", "basic", month(0)))
        .then_balance(200 + 500, 0, 0);
}

#[test]
fn what_is_unused_of_the_month_rolls_over_into_the_next_one() {
    given([])
        .under(rolling_twice())
        .at(moved_at())
        .when(import([left_of_month("basic", 300)]))
        .when(report(SubscriptionChange::Started, terms("basic", month(0))))
        .at(month(1).start)
        .when(pay("in_2", "basic", month(1)))
        .then_available(800);
}

#[test]
fn a_year_that_was_paid_elsewhere_goes_on_month_by_month() {
    let mut charge = line("line_year", "basic", year(), LineEffect::Charge, 9_990);
    charge.interval = Interval::Year;
    brought([left_of_month("basic", 300)])
        .when(invoice_of(SUBSCRIPTION, "in_year", vec![charge], month(0).start))
        .then_available(300)
        .at(month(1).start)
        .settle()
        .then_available(300 + 500)
        .at(month(2).start)
        .settle()
        .then_available(500 + 500);
}

#[test]
fn an_upgrade_after_the_move_gives_the_difference() {
    let half = month(0).start.plus(TimeDelta::days(15));
    brought([left_of_month("basic", 300)])
        .when(pay("in_1", "basic", month(0)))
        .at(half)
        .when(change_plan("in_up", "basic", "creator", half, month(0).end))
        .then_available(300 + 500);
}

#[test]
fn a_downgrade_after_the_move_takes_the_difference_of_what_was_brought() {
    let half = month(0).start.plus(TimeDelta::days(15));
    brought([left_of_month("creator", 900)])
        .when(pay("in_1", "creator", month(0)))
        .at(half)
        .when(change_plan("in_down", "creator", "basic", half, month(0).end))
        .then_available(900 - 500);
}

#[test]
fn money_of_the_running_month_that_goes_back_takes_what_was_brought_of_it() {
    brought([left_of_month("basic", 300), moved("bonus", Source::Bonus, 40)])
        .when(pay("in_1", "basic", month(0)))
        .when(deduct(100))
        .when(refund_payment("in_1", 999, 999, moved_at()))
        .then_balance(40, 0, 100)
        .when(refund_payment("in_1", 999, 999, moved_at()))
        .then_balance(40, 0, 100);
}

#[test]
fn what_comes_back_of_a_month_whose_money_went_back_settles_that_first() {
    let spent = |scenario: Scenario| {
        scenario
            .at(moved_at())
            .when(import([left_of_month("basic", 300)]))
            .when(pay("in_1", "basic", month(0)))
            .when(deduct(100))
            .when(refund_payment("in_1", 999, 999, moved_at()))
    };
    spent(given([])).then_balance(0, 0, 100).refund("ded_6", None).then_balance(0, 0, 0);
    spent(given([]).under(forgiving())).then_balance(0, 0, 0).refund("ded_6", None).then_balance(0, 0, 0);
}

#[test]
fn an_invoice_that_is_paid_after_the_move_gives_its_month() {
    let late = moved_at().plus(TimeDelta::hours(1));
    let charge = line("line_late", "basic", month(0), LineEffect::Charge, 999);
    brought([moved("bonus", Source::Bonus, 40)])
        .at(late)
        .when(invoice_of(SUBSCRIPTION, "in_late", vec![charge], late))
        .then_available(40 + 500);
}

#[test]
fn a_pack_that_was_bought_before_the_move_is_not_granted_again() {
    let command = || buy("pi_1", "pack_500", 1, month(0).start);
    brought([MovedGrant { payment: Some(provider("pi_1")), ..moved("pack", Source::TopUp, 150) }])
        .when(command())
        .then_named(["PaymentSucceeded"])
        .when(command())
        .then_nothing()
        .then_available(150)
        .when(refund_payment("pi_1", 300, 600, moved_at()))
        .then_available(75)
        .when(buy("pi_2", "pack_500", 1, moved_at()))
        .then_available(575);
}

#[test]
fn a_trial_that_began_before_the_move_gives_nothing_again() {
    let trial = MovedGrant { expires_at: Some(month(0).end), ..moved("trial", Source::Bonus, 90) };
    let mut told = terms("team", month(0));
    told.status = SubscriptionStatus::Trialing;
    told.trial_end = Some(month(0).end);
    told.evidence = evidence(moved_at(), 0);
    brought([trial])
        .when(report(SubscriptionChange::TrialStarted, told))
        .then_named(["TrialStarted"])
        .then_available(90);
}

#[test]
fn limits_do_not_begin_anew() {
    let three = limit(Measure::Generations, CalendarUnit::Month, WindowKind::Calendar, 3);
    let used = Used { measure: Measure::Generations, per: CalendarUnit::Month, count: 2 };
    let import = ImportAccount {
        grants: vec![moved("bonus", Source::Bonus, 100)],
        used: vec![used],
        ..ImportAccount::default()
    };
    let mut scenario = given([])
        .under(limited("free", vec![three]))
        .at(moved_at())
        .when(words::import(import))
        .when(generate("standard"))
        .then_accepted();
    let refused = scenario.send(&generate("standard")).clone();
    assert!(matches!(refused, Err(Refusal::LimitReached { .. })), "{refused:?}");
    scenario.at(month(1).start).when(generate("standard")).then_accepted();
}

#[test]
fn what_was_owed_is_owed_and_paid_by_what_is_left() {
    let import = ImportAccount {
        grants: vec![moved("bonus", Source::Bonus, 100)],
        debt: Some(credits(130)),
        ..ImportAccount::default()
    };
    let scenario = given([]).at(moved_at()).when(words::import(import));
    let Some(Event::Account(AccountEvent::AccountOpened { moved_in: Some(moved_in), .. })) =
        scenario.history.first()
    else {
        panic!("{:?}", scenario.history.first());
    };
    assert_eq!(moved_in.debt, credits(130));
    scenario.then_balance(0, 0, 30);
}

/// A month's statement pays no debt that is not there yet.
#[test]
fn a_debt_is_paid_no_earlier_than_it_was_known_however_old_the_grant_is() {
    let as_of = moved_at().minus(TimeDelta::days(2));
    let grants = [("older", time("2025-03-01T00:00:00Z")), ("newer", moved_at().minus(TimeDelta::days(1)))];
    let granted =
        |(id, at)| MovedGrant { granted_at: Some(at), amount: credits(50), ..moved(id, Source::TopUp, 50) };
    let import = ImportAccount {
        as_of: Some(as_of),
        grants: grants.map(granted).to_vec(),
        debt: Some(credits(70)),
        ..ImportAccount::default()
    };
    let scenario = given([]).at(moved_at()).when(words::import(import));
    let paid = scenario.history.iter().filter_map(|event| match event {
        Event::Credits(CreditsEvent::DebtPaid { amount, effective_at, .. }) => {
            Some((amount.get(), *effective_at))
        }
        _ => None,
    });
    assert_eq!(paid.collect::<Vec<_>>(), [(50, as_of), (20, moved_at().minus(TimeDelta::days(1)))]);
    scenario.then_balance(30, 0, 0);
}

#[test]
fn a_free_plan_goes_on_with_the_month_after_the_one_that_was_brought() {
    let running = MovedGrant { expires_at: Some(month(0).end), ..moved("free", Source::Allocation, 30) };
    given([])
        .under(free_monthly())
        .at(moved_at())
        .when(import([running]))
        .then_available(30)
        .at(month(0).end)
        .settle()
        .then_available(100);
}
