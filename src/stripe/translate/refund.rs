//! Which money was refunded, and did it arrive?
//!
//! Two events report one refund: the charge with its total so far, and the refund with its own id.
//! Both become commands, since either may be lost; the ledger counts them once.

use super::{Instructions, OwnerLookup, SetAside, Translation, TranslationContext, TranslationStep, held};
use crate::{
    domain::{
        amount::Money,
        command::{Command, PaymentCommand},
        ids::ProviderId,
        time::Timestamp,
    },
    stripe::documents::quoted,
};

/// `charge.refunded`: the refunded total of a payment.
pub(super) fn total(report: TranslationContext<'_>) -> Translation {
    let charge = report.id()?;
    let payment = report.object.id("payment_intent").unwrap_or_else(|| charge.clone());
    let refunded = positive(report.money(&["amount_refunded"])?)?;
    // The same total can be reported again, by another refund after one that failed.
    let key = format!("refunded:{charge}:{}:{}", refunded.minor, report.at().seconds());
    let command = Command::Payment(PaymentCommand::RecordRefundedPayment {
        payment: payment.clone(),
        refunded,
        paid: positive(report.money(&["amount_captured", "amount"])?)?,
        effective_at: report.at(),
    });
    Ok(of_payment(payment, vec![TranslationStep::new(key, command)]))
}

/// `refund.created`, `refund.updated`, `refund.failed`, and the former names of the last two.
pub(super) fn single(report: TranslationContext<'_>) -> Translation {
    let refund = report.id()?;
    let payment = report.object.first_id(&["payment_intent", "charge"]);
    let payment = payment.ok_or_else(|| held("the refund is of no payment that can be read"))?;
    let money = positive(report.money(&["amount"])?)?;
    let refunded_at = report.object.time("created").unwrap_or_else(|| report.at());
    let step = if has_failed(report)? {
        failed(refund, payment.clone(), money, refunded_at, report.at())
    } else {
        let key = format!("refund:{refund}");
        let payment = payment.clone();
        TranslationStep::new(
            key,
            Command::Payment(PaymentCommand::RecordRefund {
                refund,
                payment,
                money,
                effective_at: refunded_at,
            }),
        )
    };
    Ok(of_payment(payment, vec![step]))
}

fn failed(
    refund: ProviderId,
    payment: ProviderId,
    money: Money,
    refunded_at: Timestamp,
    effective_at: Timestamp,
) -> TranslationStep {
    let key = format!("refund_failed:{refund}");
    TranslationStep::new(
        key,
        Command::Payment(PaymentCommand::RecordFailedRefund {
            refund,
            payment,
            money,
            refunded_at,
            effective_at,
        }),
    )
}

/// Whether a refund has failed.
/// A pending one counts as refunded, since it was promised and its credits must not be spent.
fn has_failed(report: TranslationContext<'_>) -> Result<bool, SetAside> {
    if report.event.kind == "refund.failed" {
        return Ok(true);
    }
    match report.object.text("status") {
        Some("failed" | "canceled") => Ok(true),
        Some("succeeded" | "pending" | "requires_action") | None => Ok(false),
        Some(other) => Err(held(format!("the refund's status is {}, which is unknown", quoted(other)))),
    }
}

pub(super) fn positive(money: Money) -> Result<Money, SetAside> {
    if money.minor > 0 { Ok(money) } else { Err(held("an amount of money that moved is not positive")) }
}

/// Steps for the account that a payment bought credits for.
pub(super) fn of_payment(payment: ProviderId, steps: Vec<TranslationStep>) -> Instructions {
    Instructions { owner: OwnerLookup::Payment(payment), about: None, steps }
}
