//! What stories by chance have found, each told in every order when it is over.

use std::{collections::BTreeMap, sync::Arc};

use counterfoil::domain::{
    catalog::Catalog,
    command::{Command, InvoiceLine, PurchaseCommand, RecordPaidInvoice, SubscriptionChange},
    ids::AccountId,
    invoice::{InvoiceState, LineEffect, UnpaidCharge, UnpaidInvoice},
    subscription::{SubscriptionState, SubscriptionStatus},
    time::{Period, Timestamp},
};

use super::books::{Books, Standing};
use crate::{
    builders::{
        catalog::{plan_id, usd},
        words::{
            SUBSCRIPTION, day, discount_ended, discounted, ended, evidence, invoice_of, line, month, pay,
            provider, report, terms, undiscounted, year,
        },
    },
    support::catalogs,
};

const ACCOUNT: &str = "ada";

/// The month that all of it happens in.
pub(super) fn june() -> Period {
    Period { start: day(0), end: day(30) }
}

/// The same, but for which grants it is in.
#[track_caller]
fn ends_in_all(catalog: &Arc<Catalog>, at: Timestamp, told: &[Command]) -> Standing {
    ends_as(catalog, at, told, |standing| Standing { grants: BTreeMap::new(), ..standing })
}

/// How it ends, which is the same in every order.
#[track_caller]
pub(super) fn ends(catalog: &Arc<Catalog>, at: Timestamp, told: &[Command]) -> Standing {
    ends_as(catalog, at, told, |standing| standing)
}

#[track_caller]
fn ends_as(
    catalog: &Arc<Catalog>,
    at: Timestamp,
    told: &[Command],
    look: fn(Standing) -> Standing,
) -> Standing {
    let orders = orders(told.len());
    let mut standings = orders.iter().map(|order| {
        let mut books = Books::new(Arc::clone(catalog));
        books.open(ACCOUNT, day(0));
        for index in order {
            books
                .command(&AccountId::parse(ACCOUNT).expect("an id"), &told[*index], at)
                .expect("it is recorded");
        }
        assert_eq!(books.wrongly_restated(ACCOUNT), None, "{order:?}");
        look(books.standing(ACCOUNT, at))
    });
    let first = standings.next().expect("an order");
    for (standing, order) in standings.zip(&orders[1..]) {
        assert_eq!(standing, first, "told as {order:?}, and in order:\n{standing}{first}");
    }
    first
}

/// Every order of so many.
pub(super) fn orders(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else { return vec![Vec::new()] };
    let shorter = orders(last);
    let longer = shorter.iter().flat_map(|order| {
        (0..count).rev().map(|place| {
            let mut order = order.clone();
            order.insert(place, last);
            order
        })
    });
    longer.collect()
}

pub(super) fn unpaid(
    invoice: &str,
    state: InvoiceState,
    plan: &str,
    since: Timestamp,
    at: Timestamp,
) -> Command {
    let end = if since < june().end { june().end } else { june().end.plus_months(1) };
    let charge = UnpaidCharge { plan: plan_id(plan), period: Period { start: since, end } };
    let invoice = UnpaidInvoice {
        invoice: provider(invoice),
        subscription: provider(SUBSCRIPTION),
        state,
        is_change: since > june().start,
        charges: vec![charge],
        from_balance: 0,
        finalized_at: None,
    };
    Command::Purchase(PurchaseCommand::RecordUnpaidInvoice { invoice, effective_at: at })
}

/// The same invoice, paid only then.
fn paid_at(at: Timestamp, command: Command) -> Command {
    match command {
        Command::Purchase(PurchaseCommand::RecordPaidInvoice(paid)) => {
            Command::Purchase(PurchaseCommand::RecordPaidInvoice(RecordPaidInvoice {
                effective_at: at,
                ..paid
            }))
        }
        other => other,
    }
}

fn changed(plan: &str, at: Timestamp) -> Command {
    report(
        SubscriptionChange::Unnamed,
        SubscriptionState { evidence: evidence(at, 2), ..terms(plan, june()) },
    )
}

fn days(standing: &Standing) -> Vec<(String, i64)> {
    let days = standing.movements.iter();
    days.map(|((_, day), (_, before, after))| (day.to_string(), after - before)).collect()
}

/// The debit took four days, and nobody heard of the invoice before it was paid.
#[test]
fn a_first_payment_that_took_days_is_no_revenue_before_it_came() {
    let told = [
        report(SubscriptionChange::Started, terms("basic", june())),
        unpaid("in_1", InvoiceState::Open, "basic", day(0), day(0)),
        paid_at(day(4), pay("in_1", "basic", june())),
    ];
    let standing = ends(&catalogs::music(), day(9), &told);
    assert_eq!(days(&standing), [("2025-06-05".to_owned(), 999)]);
}

/// Somebody gave an invoice up, and it was paid all the same. That it failed once is told last.
#[test]
fn an_invoice_that_was_given_up_is_no_revenue_until_it_is_paid() {
    let told = [
        report(SubscriptionChange::Started, terms("basic", june())),
        unpaid("in_1", InvoiceState::Failed, "basic", day(0), day(1)),
        unpaid("in_1", InvoiceState::Uncollectible, "basic", day(0), day(2)),
        paid_at(day(5), pay("in_1", "basic", june())),
    ];
    let standing = ends(&catalogs::music(), day(9), &told);
    let right = [("2025-06-01", 999), ("2025-06-03", -999), ("2025-06-06", 999)];
    assert_eq!(days(&standing), right.map(|(day, change)| (day.to_owned(), change)));
}

/// Nothing of a larger plan is there before its money, whichever is heard first.
#[test]
fn a_change_whose_debit_is_on_its_way_leaves_the_plan_that_is_paid_for() {
    let changes = [
        report(SubscriptionChange::Started, terms("basic", june())),
        pay("in_1", "basic", june()),
        changed("creator", day(5)),
        unpaid("in_2", InvoiceState::Open, "creator", day(5), day(5)),
    ];
    assert_eq!(ends(&catalogs::music(), day(9), &changes).plan, "basic");
    let is_paid = [paid_at(day(8), pay("in_2", "creator", Period { start: day(5), end: june().end }))];
    let told: Vec<Command> = changes.into_iter().chain(is_paid).collect();
    assert_eq!(ends(&catalogs::music(), day(9), &told).plan, "creator");
}

/// The invoice of a renewal waits for its debit for days, and the plan is bridged to it.
#[test]
fn a_renewal_whose_debit_is_on_its_way_leaves_the_plan() {
    let july = Period { start: june().end, end: june().end.plus_months(1) };
    let waits = unpaid("in_2", InvoiceState::Open, "basic", june().start, july.start);
    let told = [
        report(SubscriptionChange::Started, terms("basic", june())),
        pay("in_1", "basic", june()),
        report(SubscriptionChange::Renewed, terms("basic", july)),
        waits,
    ];
    assert_eq!(ends(&catalogs::music(), july.start.plus(chrono::TimeDelta::days(5)), &told).plan, "basic");
}

/// A customer has half taken off before it subscribes, later all of it, and then nothing any more; it changes its plan
/// meanwhile.
#[test]
fn what_a_customer_has_taken_off_for_ever_counts_from_its_start_whichever_becomes_known_first() {
    let basic = undiscounted("cus_1", terms("basic", june()));
    let creator =
        SubscriptionState { monthly: usd(1_999), evidence: evidence(day(4), 2), ..terms("creator", june()) };
    let told = [
        report(SubscriptionChange::Started, basic),
        discounted("cus_1", "di_1", 50, day(-1)),
        discounted("cus_1", "di_2", 100, day(2)),
        discount_ended("cus_1", "di_1", day(2)),
        report(SubscriptionChange::Unnamed, undiscounted("cus_1", creator)),
        discount_ended("cus_1", "di_2", day(6)),
    ];
    let standing = ends(&catalogs::music(), day(9), &told);
    let right = [("2025-06-01", 500), ("2025-06-03", -500), ("2025-06-07", 1_999)];
    assert_eq!(days(&standing), right.map(|(day, change)| (day.to_owned(), change)));
}

/// Between two payments the plan is that of the first one, and not of a change that nobody has paid for.
#[test]
fn a_change_that_is_not_paid_gives_no_plan_while_the_renewal_is_on_its_way() {
    let july = Period { start: june().end, end: june().end.plus_months(1) };
    let renewed =
        |plan: &str, at: Timestamp| SubscriptionState { evidence: evidence(at, 2), ..terms(plan, july) };
    let begun = [report(SubscriptionChange::Started, terms("basic", june())), pay("in_1", "basic", june())];
    let in_july = [
        report(SubscriptionChange::Renewed, renewed("basic", july.start)),
        report(SubscriptionChange::Unnamed, renewed("creator", day(32))),
        unpaid("in_3", InvoiceState::Open, "creator", day(32), day(32)),
    ];
    let in_june = [
        changed("creator", day(28)),
        unpaid("in_2", InvoiceState::Open, "creator", day(28), day(28)),
        report(SubscriptionChange::Renewed, renewed("creator", july.start)),
    ];
    for change in [in_july, in_june] {
        let told: Vec<Command> = begun.iter().cloned().chain(change).collect();
        assert_eq!(ends(&catalogs::music(), day(36), &told).plan, "basic");
    }
}

/// The trial of the larger plan gives credits, and the one that it began with gives none.
#[test]
fn a_trial_gives_what_its_first_plan_gives_whichever_becomes_known_first() {
    let trial = "[plans.creator]\ntrial = { days = 14, credits = 300 }";
    let catalog = catalogs::parse(&catalogs::MUSIC.replace("[plans.creator]", trial));
    let trying = |plan: &str, at: Timestamp| SubscriptionState {
        status: SubscriptionStatus::Trialing,
        trial_end: Some(day(14)),
        evidence: evidence(at, 2),
        ..terms(plan, Period { start: day(0), end: day(14) })
    };
    let told = [
        report(SubscriptionChange::TrialStarted, trying("basic", day(0))),
        report(SubscriptionChange::Unnamed, trying("creator", day(1))),
    ];
    assert_eq!(ends(&catalog, day(2), &told).balance.available.get(), 50);
}

/// Cancelled with a proration inside of its trial: the invoice of that moment says 0.00, and what it gives back nobody
/// paid.
#[test]
fn a_trial_that_is_cancelled_with_a_proration_gives_nothing() {
    let trial = Period { start: day(0), end: day(14) };
    let trying = SubscriptionState {
        status: SubscriptionStatus::Trialing,
        trial_end: Some(trial.end),
        ..terms("creator", trial)
    };
    let rest = Period { start: day(3), end: trial.end };
    let nothing = line("il_1", "creator", rest, LineEffect::Nothing, 0);
    let gone = SubscriptionState { trial_end: Some(trial.end), ..ended("creator", trial, day(3)) };
    let told = [
        report(SubscriptionChange::TrialStarted, trying),
        report(SubscriptionChange::Ended, gone),
        invoice_of(SUBSCRIPTION, "in_1", vec![nothing], day(3)),
    ];
    assert_eq!(ends(&catalogs::without_rollover(), day(4), &told).balance.available.get(), 50);
}

/// What was carried into a month that turned out to be left is there for as long as the month before it is bridged.
#[test]
fn what_is_not_carried_on_after_all_lives_as_long_as_what_it_was_carried_from() {
    let left_at = month(1).start.plus(chrono::TimeDelta::days(15));
    let trial = Period { start: left_at, end: left_at.plus(chrono::TimeDelta::days(14)) };
    let trying = SubscriptionState {
        status: SubscriptionStatus::Trialing,
        trial_end: Some(trial.end),
        evidence: evidence(left_at, 2),
        ..terms("basic", trial)
    };
    let after = Period { start: trial.end, end: trial.end.plus_months(12) };
    let after = SubscriptionState { evidence: evidence(trial.end, 2), ..terms("basic", after) };
    let rest = Period { start: left_at, end: year().end };
    let credit = line("il_2", "basic", rest, LineEffect::Credit, -7_000);
    let told = [
        report(SubscriptionChange::Started, terms("basic", year())),
        pay("in_1", "basic", year()),
        report(SubscriptionChange::Unnamed, trying),
        invoice_of(SUBSCRIPTION, "in_2", vec![credit], left_at),
        report(SubscriptionChange::Unnamed, after),
    ];
    let at = month(1).end.plus(chrono::TimeDelta::days(10));
    assert_eq!(ends_in_all(&catalogs::music(), at, &told).balance.available.get(), 50 + 500 + 242);
}

/// Whichever of two trials of a plan is heard of first, the one that began first gives its credits.
#[test]
fn a_second_trial_of_a_plan_gives_nothing_whichever_becomes_known_first() {
    let trial = "[plans.creator]\ntrial = { days = 14, credits = 300 }";
    let catalog = catalogs::parse(&catalogs::MUSIC.replace("[plans.creator]", trial));
    let trying = |subscription: &str, start: i64| SubscriptionState {
        subscription: provider(subscription),
        status: SubscriptionStatus::Trialing,
        trial_end: Some(day(start + 14)),
        evidence: evidence(day(start), 2),
        ..terms("creator", Period { start: day(start), end: day(start + 14) })
    };
    let told = |first: i64, second: i64| {
        [("sub_b", first), ("sub_a", second)].map(|(subscription, start)| {
            report(SubscriptionChange::TrialStarted, trying(subscription, start))
        })
    };
    // Both run, and the first one is over.
    assert_eq!(ends_in_all(&catalog, day(3), &told(0, 2)).balance.available.get(), 50 + 300);
    assert_eq!(ends_in_all(&catalog, day(20), &told(0, 16)).balance.available.get(), 50);
}

/// A report that says again what is held is kept or not, by what is known when it comes. It changes nothing either way.
#[test]
fn a_report_that_says_the_same_again_takes_nothing() {
    let of = |quantity: u32, plan: &str, at: Timestamp| SubscriptionState {
        quantity,
        evidence: evidence(at, 2),
        ..terms(plan, june())
    };
    let rest = Period { start: day(5), end: june().end };
    let credit = InvoiceLine { quantity: 2, ..line("il_2", "basic", rest, LineEffect::Credit, -1_665) };
    let charge = line("il_3", "creator", rest, LineEffect::Charge, 1_665);
    let bought = InvoiceLine { quantity: 3, ..line("il_1", "basic", june(), LineEffect::Charge, 2_997) };
    let told = [
        report(SubscriptionChange::Started, of(3, "basic", day(0))),
        invoice_of(SUBSCRIPTION, "in_1", vec![bought], day(0)),
        report(SubscriptionChange::Unnamed, of(2, "basic", day(3))),
        invoice_of(SUBSCRIPTION, "in_2", vec![credit, charge], day(5)),
        report(SubscriptionChange::Unnamed, of(1, "creator", day(5))),
        report(SubscriptionChange::Unnamed, of(1, "creator", day(6))),
    ];
    let with = ends_in_all(&catalogs::without_rollover(), day(9), &told).balance;
    let without = ends_in_all(&catalogs::without_rollover(), day(9), &told[..5]).balance;
    assert_eq!(with, without);
}
