//! Do late, repeated and reordered reports have the right result? The newest holds, and what has ended stays ended.

use chrono::TimeDelta;
use domain::{
    command::{AccountCommand, Command, CustomerCommand, InvoiceLine, SubscriptionChange as Change},
    event::{AccountEvent, Event},
    invoice::LineEffect,
    refusal::Refusal,
    subscription::{SubscriptionState, SubscriptionStatus as Status},
    time::Period,
};

use crate::builders::{
    catalog::{free_monthly, plan_id},
    scenario::{given, opened_under},
    words::{
        SUBSCRIPTION, asked_to_change, buy, day, deduct, ended, evidence, hours, invoice_of, line, month,
        opened, pay, provider, report, terms,
    },
};

fn with(status: Status, rank: u8) -> SubscriptionState {
    SubscriptionState { status, evidence: evidence(month(0).start, rank), ..terms("basic", month(0)) }
}

#[test]
fn a_report_opens_the_account_that_it_is_about() {
    given([])
        .at(month(0).start)
        .when(report(Change::Started, terms("basic", month(0))))
        .then_named(["AccountOpened", "CreditsGranted", "SubscriptionStarted"])
        .then_on_plan("basic")
        .then_available(50);
}

#[test]
fn what_was_asked_for_is_noted_and_decides_nothing() {
    let asked = |number: i64| asked_to_change("team", 2, day(number));
    given([]).when(asked(0)).then_refused(Refusal::AccountNotFound);
    let noted = given([opened()])
        .at(day(1))
        .when(report(Change::Started, terms("basic", month(0))))
        .when(asked(1))
        .then_named(["SubscriptionChangeRequested"])
        .then_on_plan("basic");
    let without = given([opened()]).at(day(1)).when(report(Change::Started, terms("basic", month(0))));
    assert_eq!(noted.open().subscriptions, without.open().subscriptions);
    // This holds for a closed account, too, whose subscription can still be cancelled.
    let close = Command::Account(AccountCommand::CloseAccount { reason: "asked to".to_owned() });
    noted.when(close).then_accepted().when(asked(2)).then_named(["SubscriptionChangeRequested"]);
}

#[test]
fn every_kind_of_report_opens_the_account_that_it_is_about() {
    let at = month(0).start;
    let reports = [
        Command::Customer(CustomerCommand::LinkCustomer { customer: provider("cus_1"), effective_at: at }),
        Command::Customer(CustomerCommand::UnlinkCustomer { customer: provider("cus_1"), effective_at: at }),
        pay("in_1", "basic", month(0)),
        buy("pi_1", "pack_500", 1, at),
        crate::builders::words::refund_payment("pi_1", 1, 2, at),
        crate::builders::words::open_dispute("dp_1", "pi_1", at),
        crate::builders::words::close_dispute("dp_1", "pi_1", true, at),
    ];
    for command in reports {
        let scenario = given([]).at(at).when(command).then_accepted();
        assert!(matches!(scenario.history.first(), Some(Event::Account(AccountEvent::AccountOpened { .. }))));
    }
}

#[test]
fn the_newest_report_holds_in_whatever_order_they_come() {
    let reports = [with(Status::Incomplete, 0), with(Status::Active, 1), with(Status::PastDue, 2)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let scenario = order.iter().fold(given([opened()]).at(month(0).start), |scenario, index| {
            scenario.when(report(Change::Started, reports[*index].clone())).then_accepted()
        });
        let known = &scenario.open().subscriptions.known()[&provider("sub_1")];
        assert_eq!(known.status, Status::PastDue);
    }
}

#[test]
fn what_ended_stays_ended() {
    let end = ended("basic", month(0), day(5));
    let late = SubscriptionState { evidence: evidence(day(9), 1), ..terms("basic", month(0)) };
    given([opened()])
        .at(day(9))
        .when(report(Change::Ended, end))
        .when(report(Change::Recovered, late))
        .then_accepted()
        .then_on_plan("free");
}

#[test]
fn only_some_statuses_give_the_plan() {
    let gives = [Status::Trialing, Status::Active, Status::PastDue];
    let all = [Status::Incomplete, Status::Unpaid, Status::Paused, Status::Cancelled];
    for status in gives.into_iter().chain(all) {
        let plan = if gives.contains(&status) { "basic" } else { "free" };
        given([opened()])
            .at(month(0).start)
            .when(report(Change::Started, with(status, 1)))
            .then_on_plan(plan);
    }
}

#[test]
fn a_cancellation_at_the_periods_end_lets_everything_live_until_then() {
    let scheduled = SubscriptionState {
        cancel_at: Some(month(0).end),
        evidence: evidence(day(5), 1),
        ..terms("basic", month(0))
    };
    given([opened()])
        .at(month(0).start)
        .when(report(Change::Started, terms("basic", month(0))))
        .when(pay("in_1", "basic", month(0)))
        .when(buy("pi_1", "pack_500", 1, month(0).start))
        .at(day(5))
        .when(report(Change::CancellationScheduled, scheduled))
        .at(month(0).end.minus(hours(1)))
        .then_on_plan("basic")
        .then_available(1000)
        .at(month(0).end)
        .then_on_plan("free")
        .then_available(500)
        .when(report(Change::Ended, ended("basic", month(0), month(0).end)))
        .then_on_plan("free")
        .then_available(500);
}

#[test]
fn a_cancellation_that_was_withdrawn_ends_nothing() {
    let scheduled = SubscriptionState {
        cancel_at: Some(month(0).end),
        evidence: evidence(day(5), 1),
        ..terms("basic", month(0))
    };
    let withdrawn = SubscriptionState { evidence: evidence(day(6), 1), ..terms("basic", month(0)) };
    given([opened()])
        .at(day(6))
        .when(report(Change::CancellationWithdrawn, withdrawn))
        .when(report(Change::CancellationScheduled, scheduled))
        .at(month(0).end)
        .then_on_plan("basic");
}

#[test]
fn cancelled_at_once_what_was_paid_for_stays_until_its_end_then_the_free_plan() {
    given([opened()])
        .at(month(0).start)
        .when(report(Change::Started, terms("creator", month(0))))
        .when(pay("in_1", "creator", month(0)))
        .when(buy("pi_1", "pack_500", 1, month(0).start))
        .at(day(10))
        .when(report(Change::Ended, ended("creator", month(0), day(10))))
        .then_on_plan("creator")
        .then_available(2000)
        .at(month(0).end)
        .then_on_plan("free")
        .then_available(500);
}

#[test]
fn leaving_and_coming_back_gives_no_second_sign_up() {
    given([])
        .when(Command::Account(AccountCommand::OpenAccount))
        .at(month(0).start)
        .when(report(Change::Started, terms("basic", month(0))))
        .at(day(10))
        .when(report(Change::Ended, ended("basic", month(0), day(10))))
        .when(Command::Account(AccountCommand::OpenAccount))
        .then_nothing()
        .then_available(50);
}

#[test]
fn a_free_plan_gives_nothing_while_another_plan_holds_and_goes_on_after_it() {
    let started = report(Change::Started, terms("basic", month(0)));
    let scenario = opened_under(free_monthly()).at(month(0).start).when(started).at(day(61)).settle();
    let scenario = scenario.then_named(["CreditsExpired"]).then_available(0);
    scenario
        .at(day(70))
        .when(report(Change::Ended, ended("basic", month(2), day(70))))
        .then_named(["SubscriptionEnded", "CreditsGranted"])
        .then_available(100);
}

#[test]
fn the_free_plan_waits_for_the_end_of_what_was_paid() {
    let end = ended("basic", month(0), day(10));
    opened_under(free_monthly())
        .at(month(0).start)
        .when(report(Change::Started, terms("basic", month(0))))
        .when(pay("in_1", "basic", month(0)))
        .at(day(10))
        .when(report(Change::Ended, end))
        .then_named(["SubscriptionEnded"])
        .at(day(30))
        .settle()
        .then_named(["CreditsExpired"])
        .at(month(0).end)
        .settle()
        .then_named(["CreditsExpired", "CreditsGranted", "CreditsGranted"])
        .then_available(200);
}

#[test]
fn a_trial_gives_its_credits_once_until_it_ends() {
    let trial = |subscription: &str| SubscriptionState {
        subscription: provider(subscription),
        status: Status::Trialing,
        trial_end: Some(day(14)),
        ..terms("team", month(0))
    };
    given([opened()])
        .at(month(0).start)
        .when(report(Change::TrialStarted, trial("sub_1")))
        .then_named(["TrialStarted", "CreditsGranted"])
        .then_on_plan("team")
        .then_available(200)
        .when(report(Change::TrialStarted, trial("sub_2")))
        .then_named(["TrialStarted"])
        .at(day(14))
        .then_available(0);
}

#[test]
fn a_plan_that_is_not_in_the_catalog_is_refused() {
    given([opened()])
        .at(month(0).start)
        .when(report(Change::Started, terms("gold", month(0))))
        .then_refused(Refusal::UnknownPlan { plan: plan_id("gold") })
        .when(pay("in_1", "gold", month(0)))
        .then_refused(Refusal::UnknownPlan { plan: plan_id("gold") });
}

/// The account has its free plan without a subscription, and a subscription to the same plan only gives what comes
/// after that, wherever its months begin.
#[test]
fn a_free_plan_is_had_once_by_the_account_and_its_subscription_together() {
    for earlier_s in [0, 5] {
        let begins = |number: u32| day(0).plus_months(number).minus(TimeDelta::seconds(earlier_s));
        let span = |number: u32| Period { start: begins(number), end: begins(number + 1) };
        let free = |number: u32| {
            let id = format!("li_{number}");
            let line = InvoiceLine { free: true, ..line(&id, "free", span(number), LineEffect::Charge, 0) };
            invoice_of(SUBSCRIPTION, &format!("in_{number}"), vec![line], span(number).start)
        };
        let begun = SubscriptionState { free: true, ..terms("free", span(0)) };
        opened_under(free_monthly())
            .when(report(Change::Started, begun))
            .when(free(0))
            .then_available(100)
            .when(deduct(100))
            .at(day(0).plus_months(1))
            .when(free(1))
            .settle()
            .then_available_between(99, 100);
    }
}

/// The same if the account had another plan in between.
#[test]
fn a_free_plan_is_had_once_by_whoever_leaves_it_for_an_hour() {
    let rest = |hour: i64| Period { start: day(1).plus(hours(hour)), end: day(1).plus_months(1) };
    let free = |id: &str, hour: i64, effect: LineEffect| InvoiceLine {
        free: true,
        full: false,
        ..line(id, "free", rest(hour), effect, 0)
    };
    let paid = |id: &str, hour: i64, effect: LineEffect, minor: i64| InvoiceLine {
        full: false,
        ..line(id, "basic", rest(hour), effect, minor)
    };
    let invoice =
        |id: &str, lines: Vec<InvoiceLine>, hour: i64| invoice_of(SUBSCRIPTION, id, lines, rest(hour).start);
    let there = vec![free("li_2", 1, LineEffect::Credit), paid("li_3", 1, LineEffect::Charge, 998)];
    let back = vec![paid("li_4", 2, LineEffect::Credit, -997), free("li_5", 2, LineEffect::Charge)];
    opened_under(free_monthly())
        .at(rest(0).start)
        .when(deduct(100))
        .when(report(Change::Started, SubscriptionState { free: true, ..terms("free", rest(0)) }))
        .when(invoice("in_1", vec![free("li_1", 0, LineEffect::Charge)], 0))
        .at(rest(2).start)
        .when(invoice("in_2", there, 1))
        .when(invoice("in_3", back, 2))
        // A day of the free plan lies after the account's own month, and the other plan held for an hour.
        .then_available_between(0, 5);
}
