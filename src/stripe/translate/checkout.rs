//! What did a checkout bring: a customer, a subscription on its way, a pack?
//!
//! A pack is granted when its money is there: at once by card, days later by bank debit. The subscription's
//! own events and its invoice say everything about it, so its checkout only links the customer.

use super::{Report, SetAside, Step, Translation, held, ignored, payment};
use crate::{
    domain::{
        catalog::Pack,
        command::{CheckoutStep, Command, RecordCheckout, RecordPackPurchase},
        event::PaymentPurpose,
        names::{PlanId, ProviderId},
    },
    stripe::document::quoted,
};

pub(super) fn completed(report: Report<'_>) -> Translation {
    let paid = is_paid(report)?;
    let purpose = purpose(report)?;
    let checkout = checkout_step(report, CheckoutStep::Completed { paid }, "completed", &purpose)?;
    let purchase = if paid { purchase(report, &purpose)? } else { None };
    report.instruct(std::iter::once(checkout).chain(purchase).collect())
}

/// Money that takes days has come.
pub(super) fn paid_later(report: Report<'_>) -> Translation {
    if !is_paid(report)? {
        return Err(held("the event says that the money has come, and the session says that it has not"));
    }
    let purpose = purpose(report)?;
    let checkout = checkout_step(report, CheckoutStep::Completed { paid: true }, "paid", &purpose)?;
    let purchase = purchase(report, &purpose)?;
    report.instruct(std::iter::once(checkout).chain(purchase).collect())
}

/// Money that takes days will not come.
pub(super) fn failed_later(report: Report<'_>) -> Translation {
    let payment = payment_of(report)?;
    let command = Command::RecordFailedPayment {
        payment: payment.clone(),
        money: report.money(&["amount_total"])?,
        purpose: purpose(report)?,
        attempt: 1,
        effective_at: report.at(),
    };
    report.instruct(vec![Step::new(format!("payment_failed:{payment}"), command)])
}

pub(super) fn expired(report: Report<'_>) -> Translation {
    let purpose = purpose(report)?;
    report.instruct(vec![checkout_step(report, CheckoutStep::Expired, "expired", &purpose)?])
}

fn is_paid(report: Report<'_>) -> Result<bool, SetAside> {
    match report.object.text("payment_status") {
        Some("paid" | "no_payment_required") => Ok(true),
        Some("unpaid") => Ok(false),
        Some(other) => Err(held(format!("the payment status is {}, which is unknown", quoted(other)))),
        None => Err(held("the session has no payment status")),
    }
}

fn purpose(report: Report<'_>) -> Result<PaymentPurpose, SetAside> {
    match report.object.text("mode") {
        Some("subscription") => Ok(subscription(report)),
        Some("payment") => pack(report),
        Some("setup") => Err(ignored("the session only kept a card")),
        Some(other) => Err(held(format!("the session's mode is {}, which is unknown", quoted(other)))),
        None => Err(held("the session has no mode")),
    }
}

/// The plan is what the session was made for: a hint for reports, and never what is granted.
fn subscription(report: Report<'_>) -> PaymentPurpose {
    let hint = report.object.text("metadata.plan_code").and_then(|code| PlanId::parse(code).ok());
    PaymentPurpose::Subscription {
        subscription: report.object.id("subscription"),
        plan: hint.filter(|plan| report.catalog.plan(plan).is_some()),
    }
}

fn pack(report: Report<'_>) -> Result<PaymentPurpose, SetAside> {
    let price = report.object.members("line_items").find_map(|item| item.id("price"));
    let by_price = price.and_then(|price| report.catalog.pack_by_price_id(price.as_str()));
    let pack = match by_price {
        Some(pack) => pack,
        None if payment::is_top_up(report) => payment::pack_by_code(report)?,
        None => return Err(ignored("the payment is for no pack: its metadata does not say kind=topup")),
    };
    let quantity = quantity(report, pack)?;
    Ok(PaymentPurpose::Pack { pack: pack.id.clone(), quantity })
}

/// How many packs the price before discounts and taxes comes to, if it comes to a whole number.
fn quantity(report: Report<'_>, pack: &Pack) -> Result<u32, SetAside> {
    payment::count(&report.money(&["amount_subtotal"])?, pack)
}

fn purchase(report: Report<'_>, purpose: &PaymentPurpose) -> Result<Option<Step>, SetAside> {
    let PaymentPurpose::Pack { pack, quantity } = purpose else {
        return Ok(None);
    };
    let payment = payment_of(report)?;
    let command = Command::RecordPackPurchase(RecordPackPurchase {
        payment: payment.clone(),
        session: Some(report.id()?),
        pack: pack.clone(),
        quantity: *quantity,
        money: report.money(&["amount_total"])?,
        effective_at: report.at(),
    });
    Ok(Some(Step::new(format!("pack:{payment}"), command)))
}

/// The payment intent; of a session that cost nothing there is none, and the session stands for it.
fn payment_of(report: Report<'_>) -> Result<ProviderId, SetAside> {
    report.object.id("payment_intent").map_or_else(|| report.id(), Ok)
}

fn checkout_step(
    report: Report<'_>,
    step: CheckoutStep,
    name: &str,
    purpose: &PaymentPurpose,
) -> Result<Step, SetAside> {
    let session = report.id()?;
    let key = format!("checkout:{session}:{name}");
    let command = RecordCheckout {
        session,
        step,
        purpose: purpose.clone(),
        customer: report.object.id("customer"),
        effective_at: report.at(),
    };
    Ok(Step::new(key, Command::RecordCheckout(command)))
}
