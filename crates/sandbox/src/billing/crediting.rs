//! What happens when a credit note takes something off a finalized invoice?
//! Before payment, it reduces the amount due.
//! After payment, the money is refunded, credited to the customer's balance, or returned outside of Stripe.

use serde_json::Value;

use super::{collecting, invoices, refunds};
use crate::{
    call::ObjectMetadata,
    failure::SandboxFailure,
    objects::Shown,
    state::SandboxState,
    store::{
        credit_note::{NoteLine, SandboxCreditNote},
        invoice::{Invoice, InvoiceStatus},
        payment_intent::PaymentIntentStatus,
    },
};

/// What a credit note is to take off, in minor units.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    pub amount: i64,
    /// The part to refund to the payment method.
    pub refund: i64,
    /// The ids of existing refunds, and how much of each counts.
    pub refunds: Vec<(String, i64)>,
    pub credit: i64,
    pub out_of_band: i64,
    pub lines: Vec<NoteLine>,
    pub reason: Option<String>,
    pub memo: Option<String>,
    pub metadata: ObjectMetadata,
}

impl Taken {
    fn after_payment(&self) -> i64 {
        let refunds = self.refunds.iter().fold(0_i64, |sum, (_, amount)| sum.saturating_add(*amount));
        self.refund.saturating_add(refunds).saturating_add(self.credit).saturating_add(self.out_of_band)
    }
}

pub fn take_off(state: &mut SandboxState, invoice: &str, taken: Taken) -> Result<String, SandboxFailure> {
    let row =
        state.store.invoices.get(invoice).map_err(|failure| failure.status(400).param("invoice"))?.clone();
    check(&row, &taken)?;
    let mut refunds = taken.refunds.clone();
    if taken.refund > 0 {
        let charge = charge_of(state, &row)?;
        let refund = refunds::refund(state, &charge, Some(taken.refund), None, ObjectMetadata::new())?;
        refunds.push((refund, taken.refund));
    }
    let before_payment = row.status != InvoiceStatus::Paid;
    let id = state.store.ids.make("cn");
    let count = state.store.credit_notes.iter().filter(|note| note.invoice == invoice).count();
    state.store.credit_notes.put(SandboxCreditNote {
        id: id.clone(),
        created: state.store.now,
        invoice: invoice.to_owned(),
        customer: row.customer.clone(),
        currency: row.currency.clone(),
        number: format!("{}-CN-{:02}", row.number.clone().unwrap_or_default(), count.saturating_add(1)),
        amount: taken.amount,
        pre_payment: if before_payment { taken.amount } else { 0 },
        credited: taken.credit,
        refunds,
        out_of_band: taken.out_of_band,
        lines: taken.lines,
        reason: taken.reason,
        memo: taken.memo,
        metadata: taken.metadata,
        voided_at: None,
    });
    emit_note(state, "credit_note.created", &id)?;
    if before_payment {
        ask_for_less(state, invoice, taken.amount)?;
    } else {
        change_invoice(state, invoice, |row| {
            row.notes_after_payment = row.notes_after_payment.saturating_add(taken.amount);
        })?;
        if taken.credit > 0 {
            state.change_customer(&row.customer, |row| {
                row.balance = row.balance.saturating_sub(taken.credit);
            })?;
        }
    }
    Ok(id)
}

fn ask_for_less(state: &mut SandboxState, invoice: &str, amount: i64) -> Result<(), SandboxFailure> {
    change_invoice(state, invoice, |row| {
        row.notes_before_payment = row.notes_before_payment.saturating_add(amount);
    })?;
    let row = state.store.invoices.get(invoice)?;
    let (left, intent) = (row.remaining(), row.payment_intent.clone());
    if left == 0 {
        invoices::cancel_intent(state, intent.as_deref(), "void_invoice")?;
        return collecting::settle_invoice(state, invoice, false);
    }
    if let Some(intent) = intent {
        state.store.payment_intents.get_mut(&intent)?.amount = left;
    }
    Ok(())
}

/// Voids a credit note. The full amount is due again.
pub fn void_note(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    let note = state.store.credit_notes.get(id)?.clone();
    if note.voided_at.is_some() {
        return Err(SandboxFailure::invalid("This credit note is void already."));
    }
    if state.store.invoices.get(&note.invoice)?.status != InvoiceStatus::Open {
        let message = "You can only void a credit note of an invoice that is open.";
        return Err(SandboxFailure::invalid(message));
    }
    let now = state.store.now;
    state.store.credit_notes.get_mut(id)?.voided_at = Some(now);
    emit_note(state, "credit_note.voided", id)?;
    change_invoice(state, &note.invoice, |row| {
        row.notes_before_payment = row.notes_before_payment.saturating_sub(note.pre_payment);
    })?;
    let row = state.store.invoices.get(&note.invoice)?;
    let (left, intent) = (row.remaining(), row.payment_intent.clone());
    if let Some(intent) = intent {
        state.store.payment_intents.get_mut(&intent)?.amount = left;
    }
    Ok(())
}

/// Attaches a payment made elsewhere to an invoice, which it pays in part or in full.
pub fn attach_payment(state: &mut SandboxState, invoice: &str, intent: &str) -> Result<(), SandboxFailure> {
    let row = state.store.invoices.get(invoice)?;
    if row.status != InvoiceStatus::Open {
        let message = "Payments can be attached to open invoices only.";
        return Err(SandboxFailure::invalid(message).code("invoice_not_open"));
    }
    let left = row.remaining();
    let paid = state.store.payment_intents.get(intent).map_err(|failure| failure.status(400))?;
    if paid.status != PaymentIntentStatus::Succeeded || paid.invoice.is_some() || paid.amount > left {
        let message = "The sandbox attaches payments that have succeeded, of no other invoice, of at most what is left.";
        return Err(SandboxFailure::invalid(message).param("payment_intent"));
    }
    let (amount, now) = (paid.amount, state.store.now);
    state.store.payment_intents.get_mut(intent)?.invoice = Some(invoice.to_owned());
    let part = (intent.to_owned(), amount, now);
    change_invoice(state, invoice, |row| {
        row.other_payments.push(part);
        row.amount_paid = row.amount_paid.saturating_add(amount);
    })?;
    let row = state.store.invoices.get(invoice)?;
    let payment = row
        .payments()
        .into_iter()
        .find(|payment| payment.pointer("/payment/payment_intent").and_then(Value::as_str) == Some(intent));
    let (rest, own) = (row.remaining(), row.payment_intent.clone());
    if let Some(payment) = payment {
        state.emit_last("invoice_payment.paid", payment);
    }
    if rest == 0 {
        invoices::cancel_intent(state, own.as_deref(), "void_invoice")?;
        return collecting::settle_invoice(state, invoice, false);
    }
    if let Some(own) = own {
        state.store.payment_intents.get_mut(&own)?.amount = rest;
    }
    Ok(())
}

fn charge_of(state: &SandboxState, invoice: &Invoice) -> Result<String, SandboxFailure> {
    let own = invoice.payment_intent.iter();
    let others = invoice.other_payments.iter().map(|(intent, _, _)| intent);
    let charges = own.chain(others).filter_map(|id| {
        state
            .store
            .payment_intents
            .find(id)
            .filter(|intent| intent.amount_received > 0)?
            .latest_charge
            .clone()
    });
    charges.collect::<Vec<String>>().pop().ok_or_else(|| {
        SandboxFailure::invalid("There is no payment of this invoice to refund.").param("refund_amount")
    })
}

fn change_invoice(
    state: &mut SandboxState,
    id: &str,
    change: impl FnOnce(&mut Invoice),
) -> Result<(), SandboxFailure> {
    let before = state.store.invoices.get(id)?.render(&state.store);
    change(state.store.invoices.get_mut(id)?);
    let after = state.store.invoices.get(id)?.render(&state.store);
    state.emit_change("invoice.updated", &before, after);
    Ok(())
}

fn emit_note(state: &mut SandboxState, kind: &str, id: &str) -> Result<(), SandboxFailure> {
    let object = state.store.credit_notes.get(id)?.render(&state.store);
    state.emit(kind, object);
    Ok(())
}

fn check(invoice: &Invoice, taken: &Taken) -> Result<(), SandboxFailure> {
    if !matches!(invoice.status, InvoiceStatus::Open | InvoiceStatus::Paid | InvoiceStatus::Uncollectible) {
        let message = format!("You cannot credit an invoice that is {}.", invoice.status.as_str());
        return Err(SandboxFailure::invalid(message).param("invoice"));
    }
    let before = invoice.notes_before_payment.saturating_add(invoice.notes_after_payment);
    let most = match invoice.status {
        InvoiceStatus::Paid => invoice.total().saturating_sub(before),
        InvoiceStatus::Open | InvoiceStatus::Uncollectible | InvoiceStatus::Draft | InvoiceStatus::Void => {
            invoice.remaining()
        }
    };
    if taken.amount <= 0 || taken.amount > most {
        let message = format!("The amount of a credit note of this invoice is 1 to {most}.");
        return Err(SandboxFailure::invalid(message).param("amount"));
    }
    let given = taken.after_payment();
    if invoice.status == InvoiceStatus::Paid && given != taken.amount {
        let message = format!(
            "The sum of credit amount, refund amount and out of band amount ({given}) must equal the credit note \
             amount ({}).",
            taken.amount
        );
        return Err(SandboxFailure::invalid(message));
    }
    if invoice.status != InvoiceStatus::Paid && given > 0 {
        let message = "Money is given back of paid invoices only; of an open one, less is asked for.";
        return Err(SandboxFailure::invalid(message));
    }
    Ok(())
}
