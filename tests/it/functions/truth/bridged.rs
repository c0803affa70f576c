//! While the next period waits for its money, what is left of the one before stays, and so does its plan: whatever
//! becomes of something else meanwhile. Each is told forwards and backwards.

use counterfoil::domain::{
    command::{Command, InvoiceLine, PurchaseCommand, RecordPaidInvoice, SubscriptionChange},
    ids::AccountId,
    invoice::{InvoiceState, LineEffect, UnpaidCharge, UnpaidInvoice},
    subscription::{SubscriptionState, SubscriptionStatus},
    time::Period,
};

use super::{
    retold::{june, unpaid},
    unbacked::{change_of, has, heard_in_turns, july, told},
};
use crate::builders::catalog::credits;
use crate::builders::words::{SUBSCRIPTION, day, evidence, invoice_of, line, pay, provider, report, terms};

const BASIC: i64 = 500;

/// Basic for June, and a renewal whose debit is on its way.
fn renewing() -> Vec<Command> {
    vec![
        report(SubscriptionChange::Started, terms("basic", june())),
        pay("in_1", "basic", june()),
        told("basic", july(), day(30)),
        renewal(InvoiceState::Open, 30),
    ]
}

fn renewal(state: InvoiceState, at: i64) -> Command {
    match unpaid("in_2", state, "basic", july().start, day(at)) {
        Command::Purchase(PurchaseCommand::RecordUnpaidInvoice { invoice, effective_at }) => {
            Command::Purchase(PurchaseCommand::RecordUnpaidInvoice {
                invoice: UnpaidInvoice { is_change: false, ..invoice },
                effective_at,
            })
        }
        other => other,
    }
}

fn with(more: impl IntoIterator<Item = Command>) -> Vec<Command> {
    renewing().into_iter().chain(more).collect()
}

#[test]
fn a_change_of_what_waits_for_its_money_waits_with_it() {
    let rest = Period { start: day(32), end: july().end };
    // It is given back for less, so the balance gets a part of what nobody has paid yet.
    let down = || change_of("in_3", rest, ("in_2", "basic", 900), "creator", 300);
    let down = || [down(), told("creator", july(), day(32))];
    has(&heard_in_turns(&with(down()), day(33)), "creator", BASIC);
    // Within 14 business days at most, and not when the money is not to come.
    has(&heard_in_turns(&with(down()), day(55)), "free", 0);
    let void = renewal(InvoiceState::Void, 33);
    has(&heard_in_turns(&with(down().into_iter().chain([void])), day(34)), "free", 0);
}

/// Each gives back the one before it, and the first of them what waits.
#[test]
fn a_change_of_a_change_of_what_waits_waits_as_well() {
    let rest = |at: i64| Period { start: day(at), end: july().end };
    let first = change_of("in_3", rest(32), ("in_2", "basic", 900), "creator", 300);
    let second = change_of("in_4", rest(33), ("in_3", "creator", 290), "basic", 100);
    let changes =
        || [first.clone(), told("creator", july(), day(32)), second.clone(), told("basic", july(), day(33))];
    has(&heard_in_turns(&with(changes()), day(34)), "basic", BASIC);
    has(&heard_in_turns(&with(changes()), day(55)), "free", 0);
    let void = renewal(InvoiceState::Void, 34);
    has(&heard_in_turns(&with(changes().into_iter().chain([void])), day(35)), "free", 0);
    // What failed is not on its way: the days of grace are all there is.
    let failed = renewal(InvoiceState::Failed, 31);
    has(&heard_in_turns(&with(changes().into_iter().chain([failed])), day(40)), "free", 0);
}

/// Stripe calls a subscription active again when its newest invoice is paid, also one that charges nothing.
#[test]
fn nothing_but_its_money_ends_the_days_of_grace_of_a_renewal() {
    let status = SubscriptionStatus::PastDue;
    let late = |at| {
        let terms = SubscriptionState { status, grace_days: Some(3), ..terms("basic", july()) };
        report(SubscriptionChange::PastDue, SubscriptionState { evidence: evidence(day(at), 2), ..terms })
    };
    let active = || told("basic", july(), day(32));
    let failed = || renewal(InvoiceState::Failed, 31);
    for more in [vec![], vec![active()], vec![active(), late(33)]] {
        let more: Vec<Command> = [late(31), failed()].into_iter().chain(more).collect();
        has(&heard_in_turns(&with(more.clone()), day(33)), "basic", BASIC);
        has(&heard_in_turns(&with(more), day(35)), "free", 0);
    }
    // Of a payment that nobody heard of, the reports are all there is.
    has(&heard_in_turns(&with([late(31), active()]), day(35)), "basic", BASIC);
}

/// What costs nothing, beside the plan, says nothing of the renewal: what was paid can be spent until that is decided.
#[test]
fn a_line_that_charges_nothing_does_not_end_the_bridge() {
    let free = InvoiceLine { free: true, ..line("li_free", "creator", july(), LineEffect::Charge, 0) };
    let free = invoice_of(SUBSCRIPTION, "in_free", vec![free], day(31));
    let without = heard_in_turns(std::slice::from_ref(&free), day(32)).balance.available;
    let with = heard_in_turns(&with([free]), day(32)).balance.available;
    assert_eq!(with.saturating_sub(without), credits(BASIC));
}

/// A month that was to become a year, for which no money came, and which was renewed as a month all the same.
#[test]
fn a_change_that_was_tried_before_the_renewal_and_is_given_up_after_it_says_nothing_of_it() {
    let year = Period { start: day(29), end: day(29).plus_months(12) };
    let tried = match unpaid("in_9", InvoiceState::Void, "creator", day(29), day(31)) {
        Command::Purchase(PurchaseCommand::RecordUnpaidInvoice { invoice, effective_at }) => {
            let charges = vec![UnpaidCharge { plan: invoice.charges[0].plan.clone(), period: year }];
            let invoice = UnpaidInvoice { is_change: true, charges, ..invoice };
            Command::Purchase(PurchaseCommand::RecordUnpaidInvoice { invoice, effective_at })
        }
        other => other,
    };
    has(&heard_in_turns(&with([tried]), day(32)), "basic", BASIC);
}

#[test]
fn a_change_that_is_given_up_says_nothing_of_the_renewal() {
    for state in [InvoiceState::Void, InvoiceState::Uncollectible] {
        let upgrade = || unpaid_change(state);
        has(&heard_in_turns(&with([upgrade()]), day(34)), "basic", BASIC);
        // Nor in the days of grace.
        let status = SubscriptionStatus::PastDue;
        let late = SubscriptionState { status, grace_days: Some(3), ..terms("basic", july()) };
        let late =
            report(SubscriptionChange::PastDue, SubscriptionState { evidence: evidence(day(31), 2), ..late });
        has(&heard_in_turns(&with([late, upgrade()]), day(33)), "basic", BASIC);
        // Of the renewal itself it does.
        let renewal = renewal(state, 32);
        has(&heard_in_turns(&with([renewal]), day(33)), "free", 0);
    }
}

fn unpaid_change(state: InvoiceState) -> Command {
    unpaid("in_3", state, "creator", day(31), day(32))
}

/// A coupon paid for the first month, so the first payment is behind.
#[test]
fn a_month_that_a_coupon_paid_for_is_bridged_as_any_other() {
    let by_coupon = match pay("in_1", "basic", june()) {
        Command::Purchase(PurchaseCommand::RecordPaidInvoice(paid)) => {
            Command::Purchase(PurchaseCommand::RecordPaidInvoice(RecordPaidInvoice { total: 0, ..paid }))
        }
        other => other,
    };
    let mut known = renewing();
    known[1] = by_coupon;
    has(&heard_in_turns(&known, day(33)), "basic", BASIC);
}

/// It costs nothing however many there are, so it is had once.
#[test]
fn what_costs_nothing_gives_its_credits_once_however_many_there_are() {
    let free = |id: &str, quantity: u32| {
        let charged = line(id, "basic", june(), LineEffect::Charge, 0);
        invoice_of(
            SUBSCRIPTION,
            id,
            vec![InvoiceLine { quantity, free: true, full: false, ..charged }],
            day(0),
        )
    };
    let started = |quantity: u32| {
        report(SubscriptionChange::Started, SubscriptionState { quantity, ..terms("basic", june()) })
    };
    for quantity in [1, 1_000] {
        has(&heard_in_turns(&[started(quantity), free("in_1", quantity)], day(5)), "basic", BASIC);
    }
}

/// Once for each second, whoever names it and however often it is left and come back to: in any order.
#[test]
fn what_costs_nothing_is_had_once_by_all_subscriptions_together() {
    let free = |subscription: &str, id: &str, span: Period, effect: LineEffect| {
        let id = format!("{id}_{}", span.start.seconds());
        let charged = InvoiceLine { free: true, full: false, ..line(&id, "basic", span, effect, 0) };
        invoice_of(subscription, &format!("in_{id}"), vec![charged], span.start)
    };
    let begun = |subscription: &str, at: i64| {
        let span = Period { start: day(at), end: day(at).plus_months(1) };
        let begun = SubscriptionState { subscription: provider(subscription), ..terms("basic", span) };
        [
            report(
                SubscriptionChange::Started,
                SubscriptionState { evidence: evidence(day(at), 1), ..begun },
            ),
            free(subscription, subscription, span, LineEffect::Charge),
        ]
    };
    // Three of them, begun some days apart: each later one gives what lies after the month of the first.
    let told: Vec<Command> =
        [("sub_1", 0), ("sub_2", 3), ("sub_3", 6)].iter().flat_map(|(id, at)| begun(id, *at)).collect();
    let standing = heard_in_turns(&told, day(10));
    let given = standing.balance.available.get() - 50;
    assert!((BASIC..=BASIC + 2 * BASIC * 3 / 30 + 2).contains(&given), "{standing}");

    // Another number of it is the same: what is given back and what takes its place begin in one second.
    let rest = Period { start: day(10), end: june().end };
    let change = |effect| InvoiceLine {
        free: true,
        full: false,
        ..line(&format!("{effect:?}"), "basic", rest, effect, 0)
    };
    let mut told: Vec<Command> = begun(SUBSCRIPTION, 0).into();
    let lines = vec![change(LineEffect::Credit), change(LineEffect::Charge)];
    told.push(invoice_of(SUBSCRIPTION, "in_change", lines, day(10)));
    let standing = heard_in_turns(&told, day(15));
    // Each of the two parts is rounded down.
    assert!((BASIC - 1..=BASIC).contains(&(standing.balance.available.get() - 50)), "{standing}");

    // Left for a while and come back to.
    let rest = |at: i64| Period { start: day(at), end: june().end };
    let mut told: Vec<Command> = begun(SUBSCRIPTION, 0).into();
    told.push(free(SUBSCRIPTION, "left", rest(10), LineEffect::Credit));
    told.push(free(SUBSCRIPTION, "back", rest(20), LineEffect::Charge));
    let standing = heard_in_turns(&told, day(25));
    let given = standing.balance.available.get() - 50;
    assert!((BASIC * 2 / 3 - 2..=BASIC * 2 / 3 + 2).contains(&given), "{standing}");

    // What another account has by now takes nothing from what is had here.
    let moved_to = Some(AccountId::parse("other").unwrap());
    let moved = SubscriptionState { moved_to, evidence: evidence(day(1), 1), ..terms("basic", june()) };
    let moved =
        report(SubscriptionChange::Renewed, SubscriptionState { subscription: provider("sub_1"), ..moved });
    let elsewhere = begun("sub_1", 2).into_iter().skip(1);
    let told: Vec<Command> = [moved].into_iter().chain(elsewhere).chain(begun("sub_2", 3)).collect();
    has(&heard_in_turns(&told, day(10)), "basic", BASIC);
}

/// It is had once, whatever number of it is named: so what is larger is taken back when it takes its place.
#[test]
fn a_thousand_of_what_costs_nothing_are_no_larger_plan() {
    let left = |quantity: u32| {
        let free =
            SubscriptionState { free: true, unit: Some(credits(100)), quantity, ..terms("free", june()) };
        let free = SubscriptionState { evidence: evidence(day(15), 2), ..free };
        let told = [
            report(SubscriptionChange::Started, terms("basic", june())),
            pay("in_1", "basic", june()),
            report(SubscriptionChange::PlanChanged { from: None }, free),
        ];
        heard_in_turns(&told, day(20)).balance.available
    };
    assert!(left(1) < credits(50 + BASIC));
    assert_eq!(left(1_000), left(1));
}
