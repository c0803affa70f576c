//! What does the customer's bank dispute, and how did that end?
//!
//! The status decides, whichever of the dispute's events has it, since a later event may arrive first, or alone.

use super::{
    SetAside, Translation, TranslationContext, TranslationStep, held, ignored,
    refund::{of_payment, positive},
};
use crate::{
    domain::{
        command::{Command, PaymentCommand},
        ids::ProviderId,
    },
    stripe::documents::quoted,
};

pub(super) fn reported(report: TranslationContext<'_>) -> Translation {
    match report.object.text("status") {
        Some("needs_response" | "under_review") => opened(report),
        Some("won") => closed(report, true),
        // A prevented dispute is refunded by the card network, so the money is gone.
        Some("lost" | "prevented") => closed(report, false),
        // What was refunded is taken back by the refund.
        Some("charge_refunded") => closed(report, true),
        Some("warning_needs_response" | "warning_under_review" | "warning_closed") => {
            Err(ignored("the bank only asks: an inquiry moves no money"))
        }
        Some(other) => Err(held(format!("the dispute's status is {}, which is unknown", quoted(other)))),
        None => Err(held("the dispute has no status")),
    }
}

fn opened(report: TranslationContext<'_>) -> Translation {
    let (dispute, payment) = (report.id()?, payment(report)?);
    let command = Command::Payment(PaymentCommand::OpenDispute {
        dispute: dispute.clone(),
        payment: payment.clone(),
        money: positive(report.money(&["amount"])?)?,
        effective_at: report.object.time("created").unwrap_or_else(|| report.at()),
    });
    Ok(of_payment(payment, vec![TranslationStep::new(format!("dispute:{dispute}:open"), command)]))
}

fn closed(report: TranslationContext<'_>, won: bool) -> Translation {
    let (dispute, payment) = (report.id()?, payment(report)?);
    let end = if won { "won" } else { "lost" };
    let key = format!("dispute:{dispute}:{end}");
    let command = Command::Payment(PaymentCommand::CloseDispute {
        dispute,
        payment: payment.clone(),
        won,
        money: Some(positive(report.money(&["amount"])?)?),
        effective_at: report.at(),
    });
    Ok(of_payment(payment, vec![TranslationStep::new(key, command)]))
}

fn payment(report: TranslationContext<'_>) -> Result<ProviderId, SetAside> {
    let payment = report.object.first_id(&["payment_intent", "charge"]);
    payment.ok_or_else(|| held("the dispute is of no payment that can be read"))
}
