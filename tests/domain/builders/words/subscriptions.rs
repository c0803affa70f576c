//! What Stripe reports of subscriptions and their invoices.

use std::collections::BTreeMap;

use domain::{
    catalog::Interval,
    command::{
        Command, CustomerCommand, InvoiceLine, PurchaseCommand, RecordPaidInvoice, RecordSubscription,
        SubscriptionChange, SubscriptionCommand,
    },
    discounts::{DiscountReport, DiscountStep, TakenOff, Undiscounted},
    fraction::Fraction,
    invoice::{LineEffect, ReturnedCredits},
    requested::{Requested, RequestedChange},
    subscription::{ReportOrder, SubscriptionState, SubscriptionStatus},
    time::{Period, Timestamp},
};

use super::super::catalog::{plan_id, usd};
use super::provider;

pub const SUBSCRIPTION: &str = "sub_1";

pub fn pay(invoice: &str, plan: &str, period: Period) -> Command {
    pay_for(SUBSCRIPTION, invoice, plan, period)
}

pub fn pay_for(subscription: &str, invoice: &str, plan: &str, period: Period) -> Command {
    let charge = line(&format!("line_{invoice}"), plan, period, LineEffect::Charge, 999);
    invoice_of(subscription, invoice, vec![charge], period.start)
}

/// A line for a plan, with a quantity of one.
pub fn line(id: &str, plan: &str, period: Period, effect: LineEffect, minor: i64) -> InvoiceLine {
    InvoiceLine {
        line: provider(id),
        plan: plan_id(plan),
        quantity: 1,
        period,
        interval: Interval::Month,
        effect,
        gives_back: None,
        full: false,
        free: false,
        cost: usd(minor),
    }
}

/// An invoice that was created and paid at `at`.
pub fn invoice_of(subscription: &str, invoice: &str, lines: Vec<InvoiceLine>, at: Timestamp) -> Command {
    let total = lines.iter().map(|line| line.cost.minor).sum();
    let mut gives_back = BTreeMap::new();
    for line in &lines {
        if let Some(of) = &line.gives_back {
            let until = line.period.end;
            gives_back.entry(of.clone()).or_insert(ReturnedCredits { amount: 0, until }).amount -=
                line.cost.minor;
        }
    }
    Command::Purchase(PurchaseCommand::RecordPaidInvoice(RecordPaidInvoice {
        invoice: provider(invoice),
        subscription: Some(provider(subscription)),
        money: usd(i64::max(total, 0)),
        total,
        credited: 0,
        from_balance: 0,
        finalized_at: None,
        gives_back,
        lines,
        created_at: at,
        effective_at: at,
    }))
}

/// An invoice that changes the plan at `at`, until `end`, the end of the paid period.
pub fn change_plan(invoice: &str, from: &str, to: &str, at: Timestamp, end: Timestamp) -> Command {
    change_plan_of(Interval::Month, invoice, from, to, Period { start: at, end })
}

pub fn change_plan_of(interval: Interval, invoice: &str, from: &str, to: &str, span: Period) -> Command {
    let of =
        |id: String, plan, effect, minor| InvoiceLine { interval, ..line(&id, plan, span, effect, minor) };
    let credit = of(format!("credit_{invoice}"), from, LineEffect::Credit, -333);
    let charge = of(format!("line_{invoice}"), to, LineEffect::Charge, 1_000);
    invoice_of(SUBSCRIPTION, invoice, vec![credit, charge], span.start)
}

/// An invoice that gives back the rest of a plan with its interval, and begins a period of `to`.
pub fn switch(invoice: &str, from: (&str, Interval, Period), to: &str, begun: Period) -> Command {
    let (plan, interval, held) = from;
    let left = Period { start: begun.start, end: held.end };
    let credit = line(&format!("credit_{invoice}"), plan, left, LineEffect::Credit, -333);
    let charge = line(&format!("line_{invoice}"), to, begun, LineEffect::Charge, 1_332);
    invoice_of(SUBSCRIPTION, invoice, vec![InvoiceLine { interval, ..credit }, charge], begun.start)
}

/// An active subscription for a month, reported when the month began.
pub fn terms(plan: &str, period: Period) -> SubscriptionState {
    SubscriptionState {
        subscription: provider(SUBSCRIPTION),
        status: SubscriptionStatus::Active,
        plan: plan_id(plan),
        quantity: 1,
        monthly: usd(999),
        undiscounted: None,
        period,
        cancel_at: None,
        trial_end: None,
        ended_at: None,
        free: false,
        collection_paused: false,
        grace_days: None,
        unit: None,
        moved_to: None,
        metadata: domain::metadata::Metadata::default(),
        shown: None,
        evidence: evidence(period.start, 1),
    }
}

/// The same, for a customer's subscription without discounts of its own.
pub fn undiscounted(customer: &str, terms: SubscriptionState) -> SubscriptionState {
    let monthly = Fraction::whole(terms.monthly.minor);
    let undiscounted = Undiscounted { customer: provider(customer), monthly, charges: Fraction::whole(1) };
    SubscriptionState { undiscounted: Some(undiscounted), ..terms }
}

/// A customer's lasting discount of `percent`, from `at` on.
pub fn discounted(customer: &str, discount: &str, percent: i64, at: Timestamp) -> Command {
    let off = TakenOff::Percent(Fraction::whole(percent));
    discounted_by(customer, discount, Some(off), at)
}

pub fn discounted_by(customer: &str, discount: &str, off: Option<TakenOff>, at: Timestamp) -> Command {
    told_of_discount(customer, discount, DiscountStep::Begun(off), at)
}

pub fn discount_ended(customer: &str, discount: &str, at: Timestamp) -> Command {
    told_of_discount(customer, discount, DiscountStep::Ended, at)
}

fn told_of_discount(customer: &str, discount: &str, what: DiscountStep, at: Timestamp) -> Command {
    let (customer, discount) = (provider(customer), provider(discount));
    Command::Customer(CustomerCommand::RecordDiscount(DiscountReport { customer, discount, what, at }))
}

pub fn evidence(reported_at: Timestamp, rank: u8) -> ReportOrder {
    ReportOrder {
        reported_at,
        rank,
        id: provider(&format!("evt_{}_{rank}", reported_at.seconds())),
        step: None,
    }
}

pub fn ended(plan: &str, period: Period, ended_at: Timestamp) -> SubscriptionState {
    SubscriptionState {
        status: SubscriptionStatus::Cancelled,
        ended_at: Some(ended_at),
        evidence: evidence(ended_at, 9),
        ..terms(plan, period)
    }
}

pub fn report(change: SubscriptionChange, terms: SubscriptionState) -> Command {
    let effective_at = terms.ended_at.unwrap_or(terms.evidence.reported_at);
    Command::Subscription(SubscriptionCommand::RecordSubscription(RecordSubscription {
        change,
        terms,
        effective_at,
    }))
}

/// A change that was requested over the API and carried out.
pub fn asked_to_change(plan: &str, quantity: u32, at: Timestamp) -> Command {
    let requested =
        Requested::Change { plan: Some(plan_id(plan)), interval: Some(Interval::Month), quantity };
    Command::Subscription(SubscriptionCommand::RecordRequestedChange(RequestedChange {
        subscription: provider(SUBSCRIPTION),
        requested,
        effective_at: at,
    }))
}
