//! Which words are scenarios written in? Events, commands and terms, with defaults for all that does not matter.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    amount::Credits,
    catalog::Interval,
    command::{
        Command, CreditsCommand, CustomerCommand, Excess, Generation, GrantCredits, HoldFor, InvoiceLine,
        PaymentCommand, PurchaseCommand, RecordPackPurchase, RecordPaidInvoice, RecordSubscription,
        RecordedDeduction, Spent, SubscriptionChange, SubscriptionCommand,
    },
    credits::{GrantTerms, PRIORITY_DEFAULT, Source},
    discounts::{DiscountReport, DiscountStep, TakenOff, Undiscounted},
    event::{AccountEvent, BURN_ORDER, CreditsEvent, Draw, Event, Purpose},
    fraction::Fraction,
    ids::{DeductionId, GenerationId, GenerationType, GrantId, HoldId, OptionName, PackId, ProviderId},
    invoice::{LineEffect, ReturnedCredits},
    requested::{Requested, RequestedChange},
    subscription::{ReportOrder, SubscriptionState, SubscriptionStatus},
    time::{Period, Timestamp},
};

use super::catalog::{credits, plan_id, usd};

/// Midnight, this many days after 1 June 2025.
pub fn day(number: i64) -> Timestamp {
    time("2025-06-01T00:00:00Z").plus(TimeDelta::days(number))
}

pub fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a test's time is written as RFC 3339")
}

pub fn hours(number: i64) -> TimeDelta {
    TimeDelta::hours(number)
}

pub fn provider(id: &str) -> ProviderId {
    ProviderId::parse(id).expect("a test's object is an identifier")
}

pub fn grant_id(id: &str) -> GrantId {
    GrantId::parse(id).expect("a test's grant is an identifier")
}

pub fn hold_id(id: &str) -> HoldId {
    HoldId::parse(id).expect("a test's hold is an identifier")
}

// Events.

pub fn opened() -> Event {
    Event::Account(AccountEvent::AccountOpened {
        plan: plan_id("free"),
        moved_in: None,
        effective_at: day(0),
    })
}

/// A free grant with an end, from day 0.
pub fn granted(id: &str, amount: i64, expires_at: Timestamp) -> Event {
    granted_as(GrantTerms { expires_at: Some(expires_at), ..bonus(id, amount) })
}

pub fn granted_forever(id: &str, amount: i64) -> Event {
    granted_as(bonus(id, amount))
}

pub fn granted_as(grant: GrantTerms) -> Event {
    Event::Credits(CreditsEvent::CreditsGranted { grant, effective_at: day(0) })
}

pub fn bonus(id: &str, amount: i64) -> GrantTerms {
    GrantTerms {
        grant_id: grant_id(id),
        source: Source::Bonus,
        amount: credits(amount),
        starts_at: day(0),
        expires_at: None,
        priority: PRIORITY_DEFAULT,
        cost: None,
        payment: None,
        slot: None,
        reason: None,
    }
}

pub fn draw(id: &str, amount: i64) -> Draw {
    Draw { grant_id: grant_id(id), amount: credits(amount) }
}

/// A deduction that is the account's event with this number.
pub fn deducted(number: u64, amount: i64, draws: impl Into<Vec<Draw>>, at: Timestamp) -> Event {
    Event::Credits(CreditsEvent::CreditsDeducted {
        deduction_id: DeductionId::parse(&format!("ded_{number}")).expect("it is an identifier"),
        amount: credits(amount),
        draws: draws.into(),
        order: BURN_ORDER.to_owned(),
        purpose: Purpose::Named { id: None, description: None },
        windows: Vec::new(),
        effective_at: at,
    })
}

pub fn expired(id: &str, amount: i64, at: Timestamp) -> Event {
    Event::Credits(CreditsEvent::CreditsExpired {
        grant_id: grant_id(id),
        amount: credits(amount),
        effective_at: at,
    })
}

// Commands of callers.

pub fn deduct(amount: i64) -> Command {
    Command::Credits(CreditsCommand::DeductCredits { amount: credits(amount), id: None, description: None })
}

pub fn refund(deduction: RecordedDeduction, amount: Option<Credits>, reason: &str) -> Command {
    let of = Spent::Deduction(deduction.deduction_id.clone());
    Command::Credits(CreditsCommand::RefundDeductions {
        of,
        deductions: vec![deduction],
        amount,
        reason: reason.to_owned(),
    })
}

pub fn generation(kind: &str, options: &[(&str, &str)]) -> Generation {
    let option = |name: &str| OptionName::parse(name).expect("a test's option is an identifier");
    Generation {
        kind: GenerationType::parse(kind).expect("a test's type is an identifier"),
        options: options.iter().map(|(name, value)| (option(name), option(value))).collect(),
        id: None,
    }
}

pub fn generate(kind: &str) -> Command {
    Command::Credits(CreditsCommand::Generate(generation(kind, &[])))
}

pub fn generate_as(kind: &str, id: &str) -> Command {
    let id = GenerationId::parse(id).expect("a test's generation is an identifier");
    Command::Credits(CreditsCommand::Generate(Generation { id: Some(id), ..generation(kind, &[]) }))
}

pub fn hold(amount: i64) -> Command {
    let what = HoldFor::Amount { amount: credits(amount), id: None, description: None };
    Command::Credits(CreditsCommand::HoldCredits { what, expires_in_s: None })
}

pub fn hold_for(amount: i64, expires_in_s: u32) -> Command {
    let what = HoldFor::Amount { amount: credits(amount), id: None, description: None };
    Command::Credits(CreditsCommand::HoldCredits { what, expires_in_s: Some(expires_in_s) })
}

pub fn commit(id: &str, amount: Option<i64>, excess: Excess) -> Command {
    Command::Credits(CreditsCommand::CommitHold { hold_id: hold_id(id), amount: amount.map(credits), excess })
}

pub fn release(id: &str) -> Command {
    Command::Credits(CreditsCommand::ReleaseHold { hold_id: hold_id(id) })
}

pub fn extend(id: &str, expires_in_s: u32) -> Command {
    Command::Credits(CreditsCommand::ExtendHold { hold_id: hold_id(id), expires_in_s })
}

pub fn grant(id: &str, amount: i64, expires_at: Option<Timestamp>) -> Command {
    Command::Credits(CreditsCommand::GrantCredits(GrantCredits {
        grant_id: grant_id(id),
        source: Source::Bonus,
        amount: credits(amount),
        starts_at: None,
        expires_at,
        priority: None,
        cost: None,
        reason: "thanks".to_owned(),
    }))
}

// Reports of the payment provider.

/// The month with this number from 1 June 2025, at 10:00.
pub fn month(number: u32) -> Period {
    let first = time("2025-06-01T10:00:00Z");
    Period { start: first.plus_months(number), end: first.plus_months(number + 1) }
}

pub fn year() -> Period {
    Period { start: month(0).start, end: month(11).end }
}

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

pub fn buy(payment: &str, pack: &str, quantity: u32, at: Timestamp) -> Command {
    Command::Purchase(PurchaseCommand::RecordPackPurchase(RecordPackPurchase {
        payment: provider(payment),
        item: None,
        session: None,
        sold: None,
        subtotal: None,
        paid: None,
        pack: PackId::parse(pack).expect("a test's pack is an identifier"),
        quantity,
        money: usd(2000),
        effective_at: at,
    }))
}

pub fn refund_payment(payment: &str, refunded: i64, paid: i64, at: Timestamp) -> Command {
    Command::Payment(PaymentCommand::RecordRefundedPayment {
        payment: provider(payment),
        refunded: usd(refunded),
        paid: usd(paid),
        effective_at: at,
    })
}

pub fn open_dispute(dispute: &str, payment: &str, at: Timestamp) -> Command {
    Command::Payment(PaymentCommand::OpenDispute {
        dispute: provider(dispute),
        payment: provider(payment),
        money: usd(2000),
        effective_at: at,
    })
}

pub fn close_dispute(dispute: &str, payment: &str, won: bool, at: Timestamp) -> Command {
    Command::Payment(PaymentCommand::CloseDispute {
        dispute: provider(dispute),
        payment: provider(payment),
        won,
        money: Some(usd(2000)),
        effective_at: at,
    })
}

/// One refund, by its own id.
pub fn refund_once(refund: &str, payment: &str, minor: i64, at: Timestamp) -> Command {
    Command::Payment(PaymentCommand::RecordRefund {
        refund: provider(refund),
        payment: provider(payment),
        money: usd(minor),
        effective_at: at,
    })
}

pub fn fail_refund(refund: &str, payment: &str, minor: i64, at: Timestamp) -> Command {
    Command::Payment(PaymentCommand::RecordFailedRefund {
        refund: provider(refund),
        payment: provider(payment),
        money: usd(minor),
        refunded_at: at,
        effective_at: at.plus(TimeDelta::days(2)),
    })
}

pub fn link_payment(payment: &str, invoice: &str, at: Timestamp) -> Command {
    Command::Payment(PaymentCommand::LinkPayment {
        payment: provider(payment),
        invoice: provider(invoice),
        effective_at: at,
    })
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
