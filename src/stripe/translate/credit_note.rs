//! What did a credit note give back after its invoice was paid?
//!
//! If it refunds, the refund reports that itself.
//! Only the credit note reports what is put on the customer's balance, or returned outside of Stripe.
//! What a credit note took off before the invoice was paid is a part of the paid invoice.

use super::{SetAside, Translation, TranslationContext, TranslationStep, held, ignored, refund::of_payment};
use crate::domain::{
    amount::Money,
    command::{Command, PaymentCommand},
};

pub(super) fn reported(report: TranslationContext<'_>) -> Translation {
    let note = report.id()?;
    let invoice = report.object.id("invoice").ok_or_else(|| held("the credit note is of no invoice"))?;
    let voided = report.event.kind == "credit_note.voided" || report.object.text("status") == Some("void");
    let money = given_back(report)?;
    if money.minor == 0 {
        return Err(ignored(
            "it took something off before the invoice was paid, or its refund reports the money",
        ));
    }
    let key = format!("credit_note:{note}:{}", if voided { "void" } else { "issued" });
    let command = Command::Payment(PaymentCommand::RecordCreditNote {
        note,
        invoice: invoice.clone(),
        money,
        voided,
        effective_at: report.object.time("created").unwrap_or_else(|| report.at()),
    });
    Ok(of_payment(invoice, vec![TranslationStep::new(key, command)]))
}

/// What was given back after the payment, without refunds.
fn given_back(report: TranslationContext<'_>) -> Result<Money, SetAside> {
    let object = report.object;
    let all = match object.integer("post_payment_amount") {
        Some(after) => after,
        None if object.text("type") == Some("pre_payment") => 0,
        None => object.integer("amount").ok_or_else(|| held("the credit note has no whole amount"))?,
    };
    let listed = object.members("refunds").filter_map(|refund| refund.integer("amount_refunded"));
    let listed = listed.fold(0_i64, i64::saturating_add);
    // The older form names one refund without its amount: what is neither on the balance nor outside was refunded.
    let refunded = match object.id("refund") {
        Some(_) if listed == 0 && object.find("customer_balance_transaction").is_some() => {
            return Err(held("the credit note refunds a part, and does not say which"));
        }
        Some(_) if listed == 0 => all.saturating_sub(object.integer("out_of_band_amount").unwrap_or(0)),
        Some(_) | None => listed,
    };
    Ok(Money { minor: all.saturating_sub(refunded).max(0), currency: report.currency()? })
}
