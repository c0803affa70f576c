//! Is a plan's allocation granted when its period is paid: once per subscription and period, month by month?

use domain::{
    command::{AccountCommand, Command, PurchaseCommand},
    credits::Source,
    time::Period,
};

use crate::builders::{
    catalog::{free_monthly, free_nothing},
    scenario::{given, opened_under},
    words::{day, deduct, month, opened, pay, pay_for, time, year},
};

#[test]
fn a_paid_period_gives_its_allocation_until_its_end() {
    given([opened()])
        .at(month(0).start)
        .when(pay("in_1", "basic", month(0)))
        .then_named(["PaymentSucceeded", "InvoicePaid", "CreditsGranted"])
        .then_grant("month:sub_1:1748772000", 500, 500)
        .then_available(500)
        .at(month(0).end)
        .then_available(0);
}

#[test]
fn the_same_invoice_reported_again_has_nothing_to_add() {
    given([opened()])
        .at(month(0).start)
        .when(pay("in_1", "basic", month(0)))
        .when(pay("in_1", "basic", month(0)))
        .then_nothing()
        .then_available(500);
}

#[test]
fn two_invoices_that_were_both_paid_for_one_period_give_it_twice() {
    given([opened()])
        .at(month(0).start)
        .when(pay("in_1", "basic", month(0)))
        .when(pay("in_2", "basic", month(0)))
        .then_available(1_000);
}

#[test]
fn two_subscriptions_each_give_theirs() {
    given([opened()])
        .at(month(0).start)
        .when(pay("in_1", "basic", month(0)))
        .when(pay_for("sub_2", "in_2", "creator", month(0)))
        .then_available(2000);
}

#[test]
fn a_quantity_multiplies_the_allocation() {
    let mut command = pay("in_1", "basic", month(0));
    if let Command::Purchase(PurchaseCommand::RecordPaidInvoice(invoice)) = &mut command {
        invoice.lines[0].quantity = 3;
    }
    given([opened()]).at(month(0).start).when(command).then_available(1500);
}

#[test]
fn a_yearly_price_allocates_monthly() {
    let mut scenario = given([opened()]).at(month(0).start).when(pay("in_1", "basic", year()));
    for number in 1..12 {
        scenario = scenario.then_available(if number == 1 { 500 } else { 1000 });
        scenario = scenario.at(month(number).start).settle();
    }
    let scenario = scenario.at(year().end).settle().then_available(0).settle().then_nothing();
    assert_eq!(granted(&scenario), 12 * 500);
}

#[test]
fn the_cost_of_a_year_is_spread_over_its_months_to_the_cent() {
    let scenario = given([opened()]).at(month(0).start).when(pay("in_1", "basic", year()));
    let scenario = scenario.at(year().end).settle();
    let cost = scenario.grants().into_iter().filter_map(|grant| grant.terms.cost.as_ref());
    assert_eq!(cost.map(|cost| cost.minor).sum::<i64>(), 999);
}

#[test]
fn months_that_begin_on_the_31st_are_twelve_in_a_year() {
    let start = time("2025-01-31T10:00:00Z");
    let period = Period { start, end: time("2026-01-31T10:00:00Z") };
    let scenario = opened_under(free_nothing()).at(time("2026-02-01T00:00:00Z"));
    let scenario = scenario.when(pay("in_1", "basic", period));
    let net = granted(&scenario);
    assert_eq!(net, 12 * 500);
    scenario.then_available(0);
}

#[test]
fn a_month_that_begins_in_february_and_ends_on_the_31st_gives_once() {
    let period = Period { start: time("2026-02-28T10:00:00Z"), end: time("2026-03-31T10:00:00Z") };
    let scenario = opened_under(free_nothing()).at(period.start).when(pay("in_1", "basic", period));
    let scenario = scenario.then_available(500).at(time("2026-03-29T00:00:00Z")).settle().then_nothing();
    scenario.then_available(500).at(period.end).then_available(0);
}

#[test]
fn a_month_that_is_paid_late_keeps_its_own_bounds() {
    given([opened()])
        .at(day(10))
        .when(pay("in_1", "basic", month(0)))
        .then_available(500)
        .at(month(0).end)
        .then_available(0);
}

#[test]
fn a_period_that_is_over_is_granted_and_expires() {
    given([opened()])
        .at(day(60))
        .when(pay("in_1", "basic", month(0)))
        .then_named(["PaymentSucceeded", "InvoicePaid", "CreditsGranted", "CreditsExpired"])
        .then_available(0);
}

#[test]
fn a_period_that_has_not_begun_waits_for_its_start() {
    given([opened()])
        .when(pay("in_1", "basic", month(1)))
        .then_named(["PaymentSucceeded", "InvoicePaid"])
        .then_available(0)
        .at(month(1).start)
        .settle()
        .then_named(["CreditsGranted"])
        .then_available(500);
}

#[test]
fn a_free_plan_gives_once_when_the_account_opens() {
    given([])
        .when(Command::Account(AccountCommand::OpenAccount))
        .then_named(["AccountOpened", "CreditsGranted"])
        .then_grant("signup", 50, 50)
        .when(Command::Account(AccountCommand::OpenAccount))
        .then_nothing()
        .at(day(400))
        .settle()
        .then_nothing()
        .then_available(50);
}

#[test]
fn a_free_plan_can_give_monthly_by_the_calendar_from_the_opening() {
    opened_under(free_monthly())
        .then_named(["AccountOpened", "PeriodPaid", "CreditsGranted"])
        .then_available(100)
        .when(deduct(30))
        .at(day(30))
        .settle()
        .then_named(["CreditsExpired", "CreditsGranted", "CreditsGranted"])
        .then_available(170);
}

#[test]
fn free_months_that_nobody_looked_at_went_by_one_by_one() {
    let looked = opened_under(free_monthly()).at(day(30)).settle().at(day(61)).settle().at(day(92)).settle();
    let idle = opened_under(free_monthly()).at(day(92)).settle();
    assert_eq!(looked.grants(), idle.grants());
    idle.then_available(200);
}

#[test]
fn what_rolled_over_is_spent_before_the_fresh_credits_also_when_both_are_free() {
    let scenario = opened_under(free_monthly()).at(day(30)).settle().when(deduct(100));
    scenario.then_grant("carry:month:free:1748736000", 100, 0).then_grant("month:free:1751328000", 100, 100);
}

#[test]
fn a_plan_that_gives_nothing_opens_an_empty_account() {
    opened_under(free_nothing()).then_named(["AccountOpened"]).then_available(0);
}

#[test]
fn a_month_that_two_payments_have_is_granted_once_and_nothing_gets_stuck() {
    given([opened()])
        .at(month(0).start)
        .when(pay("in_1", "basic", month(2)))
        .when(pay("in_2", "creator", year()))
        .then_available(1500)
        .at(month(2).start)
        .settle()
        .then_accepted()
        .at(month(3).start)
        .settle()
        .then_accepted()
        .then_grant("month:sub_1:1756720800", 1500, 1500);
}

/// All credits that were ever granted for months of subscriptions.
fn granted(scenario: &crate::builders::scenario::Scenario) -> i64 {
    let allocations = scenario.grants().into_iter().filter(|grant| grant.terms.source == Source::Allocation);
    allocations.map(|grant| grant.terms.amount.get()).sum()
}
