//! What does a checkout report: a customer, a future subscription, a pack?
//!
//! A pack is granted when its money has arrived: at once by card, days later by bank debit.
//! The subscription's own events and its invoice report everything about it, so its checkout only links the customer.
//! If a session makes an invoice besides its payment, both report one purchase, which is identified by the invoice.

use super::{
    OwnerLookup, SetAside, Translation, TranslationContext, TranslationStep, held, ignored, packs,
    packs::{PackPurchase, Packs},
    payment,
};
use crate::{
    domain::{
        command::{CheckoutStep, Command, PurchaseCommand, RecordCheckout, RecordPackPurchase},
        event::PaymentPurpose,
        ids::{PlanId, ProviderId},
        metadata::Metadata,
    },
    stripe::documents::quoted,
};

/// What a session is for.
enum SessionContents {
    Subscription(PaymentPurpose),
    Packs(Packs),
}

pub(super) fn completed(report: TranslationContext<'_>) -> Translation {
    if is_paid(report)? {
        return bought(report, "completed");
    }
    let contents = promised(report)?;
    let step = checkout_step(report, CheckoutStep::Completed { paid: false }, "completed", &contents)?;
    unpaid(report, step)
}

/// The money of a slow payment method has arrived.
pub(super) fn paid_later(report: TranslationContext<'_>) -> Translation {
    if !is_paid(report)? {
        return Err(held("the event says that the money has come, and the session says that it has not"));
    }
    bought(report, "paid")
}

fn bought(report: TranslationContext<'_>, name: &str) -> Translation {
    let contents = contents(report)?;
    let mut steps = vec![checkout_step(report, CheckoutStep::Completed { paid: true }, name, &contents)?];
    if let SessionContents::Packs(packs) = &contents {
        steps.extend(purchases(report, packs)?);
    }
    report.instruct(steps)
}

/// The money of a slow payment method will not come.
pub(super) fn failed_later(report: TranslationContext<'_>) -> Translation {
    let payment = charged(report)?;
    let command = Command::Purchase(PurchaseCommand::RecordFailedPayment {
        payment: payment.clone(),
        money: report.money(&["amount_total"])?,
        purpose: promised(report)?.purpose(),
        attempt: 1,
        effective_at: report.at(),
    });
    unpaid(report, TranslationStep::new(format!("payment_failed:{payment}"), command))
}

pub(super) fn expired(report: TranslationContext<'_>) -> Translation {
    let contents = promised(report)?;
    unpaid(report, checkout_step(report, CheckoutStep::Expired, "expired", &contents)?)
}

/// A buyer can name any account, which does not count before something is paid.
fn unpaid(report: TranslationContext<'_>, step: TranslationStep) -> Translation {
    match OwnerLookup::of(report.object) {
        Some(_) => report.instruct(vec![step]),
        None => Err(ignored("nothing is paid, and neither its metadata nor a customer says whose it is")),
    }
}

fn is_paid(report: TranslationContext<'_>) -> Result<bool, SetAside> {
    match report.object.text("payment_status") {
        Some("paid" | "no_payment_required") => Ok(true),
        Some("unpaid") => Ok(false),
        Some(other) => Err(held(format!("the payment status is {}, which is unknown", quoted(other)))),
        None => Err(held("the session has no payment status")),
    }
}

impl SessionContents {
    fn purpose(&self) -> PaymentPurpose {
        match self {
            Self::Subscription(purpose) => purpose.clone(),
            Self::Packs(packs) => packs.purpose(),
        }
    }
}

fn contents(report: TranslationContext<'_>) -> Result<SessionContents, SetAside> {
    match report.object.text("mode") {
        Some("subscription") => Ok(SessionContents::Subscription(subscription(report))),
        Some("payment") => packs::of_session(report).map(SessionContents::Packs),
        Some("setup") => Err(ignored("the session only kept a card")),
        Some(other) => Err(held(format!("the session's mode is {}, which is unknown", quoted(other)))),
        None => Err(held("the session has no mode")),
    }
}

/// What a session would have been for. If nothing is paid, it need not be readable.
fn promised(report: TranslationContext<'_>) -> Result<SessionContents, SetAside> {
    contents(report).map_err(|aside| match aside {
        SetAside::Incomplete(_) | SetAside::NeedsReviewIfOurs { .. } => {
            ignored("nothing is paid, and the session does not say what it is for")
        }
        SetAside::Ignored(_) | SetAside::NeedsReview(_) | SetAside::Quarantined(_) => aside,
    })
}

/// The plan that the session was made for, as a hint for reports. Nothing is granted by it.
fn subscription(report: TranslationContext<'_>) -> PaymentPurpose {
    let hint = report.object.text("metadata.plan_code").and_then(|code| PlanId::parse(code).ok());
    PaymentPurpose::Subscription {
        subscription: report.object.id("subscription"),
        plan: hint.filter(|plan| report.catalog.plan(plan).is_some()),
    }
}

/// A purchase for each kind of pack, after the link by which refunds are found.
fn purchases(report: TranslationContext<'_>, packs: &Packs) -> Result<Vec<TranslationStep>, SetAside> {
    let payment = match invoice(report) {
        Some(invoice) => invoice,
        None => charged(report)?,
    };
    let link = report.object.id("payment_intent").zip(invoice(report));
    let link = link.map(|(payment, invoice)| payment::link(payment, invoice, report));
    let session = report.id()?;
    let purchase = |sold: &PackPurchase| {
        let command = RecordPackPurchase {
            payment: payment.clone(),
            item: sold.item.clone(),
            session: Some(session.clone()),
            pack: sold.pack.clone(),
            sold: sold.terms.clone(),
            quantity: sold.quantity,
            subtotal: sold.subtotal.clone(),
            money: sold.money.clone(),
            paid: (sold.money != packs.paid).then(|| packs.paid.clone()),
            effective_at: report.at(),
        };
        TranslationStep::of_purchase(command)
    };
    Ok(link.into_iter().chain(packs.sold.iter().map(purchase)).collect())
}

/// The payment intent. A session that cost nothing has none, and is used itself.
fn charged(report: TranslationContext<'_>) -> Result<ProviderId, SetAside> {
    report.object.id("payment_intent").map_or_else(|| report.id(), Ok)
}

/// The invoice that a session for packs makes. That of a subscription is reported by the subscription.
fn invoice(report: TranslationContext<'_>) -> Option<ProviderId> {
    report.object.id("invoice").filter(|_| report.object.text("mode") == Some("payment"))
}

fn checkout_step(
    report: TranslationContext<'_>,
    step: CheckoutStep,
    name: &str,
    contents: &SessionContents,
) -> Result<TranslationStep, SetAside> {
    let session = report.id()?;
    let key = format!("checkout:{session}:{name}");
    let command = RecordCheckout {
        session,
        step,
        purpose: contents.purpose(),
        customer: OwnerLookup::of(report.object).and_then(|owner| owner.customer().cloned()),
        sold: None,
        metadata: Metadata::default(),
        invoice: invoice(report).filter(|_| matches!(step, CheckoutStep::Completed { .. })),
        effective_at: report.at(),
    };
    Ok(TranslationStep::new(key, Command::Purchase(PurchaseCommand::RecordCheckout(command))))
}
