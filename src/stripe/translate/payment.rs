//! What does a payment itself report?
//!
//! Usually nothing new: an invoice or a checkout session reports the same money, with what it was for, and a payment
//! also succeeds for every invoice.
//! Only for a pack that was sold without a checkout it is the only report.
//! Such a payment has the number of packs; that of a session does not, since it may be discounted.

use super::{
    SetAside, Translation, TranslationContext, TranslationStep, held, ignored, refund::of_payment, top_up,
};
use crate::{
    domain::{
        amount::Money,
        catalog::Pack,
        command::{Command, PaymentCommand, PurchaseCommand, RecordPackPurchase},
        event::PaymentPurpose,
        ids::{PackId, ProviderId},
        sold_pack::SoldPack,
    },
    stripe::documents::quoted,
};

pub(super) fn succeeded(report: TranslationContext<'_>) -> Translation {
    if !is_top_up(report) {
        return Err(ignored("an invoice reports its own payment"));
    }
    let Some(stated) = report.object.text("metadata.quantity") else {
        return Err(ignored("the checkout session grants the pack"));
    };
    let (payment, money) = (report.id()?, report.money(&["amount_received", "amount"])?);
    let SoldItem { pack, terms, quantity } = sold(report, &money)?;
    if stated.parse() != Ok(quantity) {
        return Err(held(format!("{quantity} packs were paid for, and {} were sold", quoted(stated))));
    }
    report.instruct(vec![TranslationStep::of_purchase(RecordPackPurchase {
        payment,
        item: None,
        session: None,
        pack,
        sold: terms,
        quantity,
        subtotal: None,
        money,
        paid: None,
        effective_at: report.at(),
    })])
}

/// What a payment without a session is for.
struct SoldItem {
    pack: PackId,
    /// The terms, if it is not a pack of the catalog.
    terms: Option<SoldPack>,
    quantity: u32,
}

/// What is sold for this amount. A chosen number of credits has to be paid completely.
fn sold(report: TranslationContext<'_>, money: &Money) -> Result<SoldItem, SetAside> {
    let pack = code(report)?;
    if let Some(terms) = top_up::sold(report, &pack, money)? {
        let asked = report.object.integer("amount");
        if asked != Some(money.minor) {
            return Err(held(format!("a part of the credits was paid: {} {}", money.minor, money.currency)));
        }
        return Ok(SoldItem { pack, terms: Some(terms), quantity: 1 });
    }
    let quantity = count(money, pack_by_code(report)?)?;
    Ok(SoldItem { pack, terms: None, quantity })
}

/// `invoice_payment.paid`: which payment paid the invoice. Since API version 2025-03-31 nothing else says so.
pub(super) fn of_invoice(report: TranslationContext<'_>) -> Translation {
    let invoice = report.object.id("invoice");
    let invoice = invoice.ok_or_else(|| held("the payment is of no invoice that can be read"))?;
    let payment = report.object.first_id(&["payment.payment_intent", "payment.charge"]);
    let payment = payment.ok_or_else(|| ignored("the money was taken outside of Stripe"))?;
    Ok(of_payment(invoice.clone(), vec![link(payment, invoice, report)]))
}

/// That a payment was for an invoice.
pub(super) fn link(
    payment: ProviderId,
    invoice: ProviderId,
    report: TranslationContext<'_>,
) -> TranslationStep {
    let key = format!("payment_link:{payment}");
    TranslationStep::new(
        key,
        Command::Payment(PaymentCommand::LinkPayment { payment, invoice, effective_at: report.at() }),
    )
}

pub(super) fn failed(report: TranslationContext<'_>) -> Translation {
    if !is_top_up(report) {
        return Err(ignored("an invoice reports its own failed payment"));
    }
    let payment = report.id()?;
    let money = report.money(&["amount"])?;
    let SoldItem { pack, quantity, .. } = sold(report, &money)?;
    // Each declined charge is a failure of its own.
    let charge = report.object.first_id(&["last_payment_error.charge", "latest_charge"]);
    let charge: ProviderId = charge.unwrap_or_else(|| report.event.id.clone());
    let command = Command::Purchase(PurchaseCommand::RecordFailedPayment {
        payment: payment.clone(),
        money,
        purpose: PaymentPurpose::Pack { pack, quantity },
        attempt: 1,
        effective_at: report.at(),
    });
    report.instruct(vec![TranslationStep::new(format!("payment_failed:{payment}:{charge}"), command)])
}

/// Whether the program made this payment to sell a pack.
pub(super) fn is_top_up(report: TranslationContext<'_>) -> bool {
    report.object.text("metadata.kind") == Some("topup")
}

/// The pack that metadata names, whether or not the catalog has it.
pub(super) fn code(report: TranslationContext<'_>) -> Result<PackId, SetAside> {
    let code = report.object.text("metadata.topup_code");
    let code = code.ok_or_else(|| held("the payment is for a pack and does not say for which"))?;
    PackId::parse(code).map_err(|_| held(format!("the catalog has no pack {}", quoted(code))))
}

pub(super) fn pack_by_code(report: TranslationContext<'_>) -> Result<&Pack, SetAside> {
    let id = code(report)?;
    let pack = report.catalog.terms_of_pack(&id);
    pack.ok_or_else(|| held(format!("the catalog has no pack {}", quoted(id.as_str()))))
}

/// How many of `pack` cost `money`.
pub(super) fn count(money: &Money, pack: &Pack) -> Result<u32, SetAside> {
    let price = &pack.price;
    if money.currency != price.currency {
        return Err(held(format!(
            "paid in {}, and the pack's price is in {}",
            money.currency, price.currency
        )));
    }
    let exact = money.minor.checked_rem(price.minor) == Some(0);
    let count = money.minor.checked_div(price.minor).filter(|count| exact && *count > 0);
    count.and_then(|count| u32::try_from(count).ok()).ok_or_else(|| {
        held(format!("{} is no whole number of packs at {} {}", money.minor, price.minor, price.currency))
    })
}
