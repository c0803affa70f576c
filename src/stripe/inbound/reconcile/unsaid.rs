//! What does an object say that no command does?
//! How much of an invoice one payment paid, that a session is not paid, and that a customer exists.

use super::{
    Subject,
    bought::compare_payment,
    difference::{ObjectDifference, paid},
    report::StoredFigures,
    suspect::Suspect,
};
use crate::{
    domain::{
        account::{Account, CustomerLink, OpenAccount},
        command::{Command, PurchaseCommand},
        ids::ProviderId,
    },
    stripe::{documents::Document, translate::TranslationStep},
};

/// The difference. `None`: there is none.
pub(super) fn unsaid(account: &Account, suspect: &Suspect) -> Option<ObjectDifference> {
    let document = Document::new(&suspect.object);
    let account = account.opened()?;
    let mut difference = ObjectDifference::default();
    match suspect.subject {
        Subject::Customer => compare_customer(account, document, &mut difference),
        Subject::PaidInvoice => compare_time(account, document, &mut difference),
        Subject::InvoicePayment => {
            let (payment, money) = suspect.subject.bought(document).zip(suspect.subject.paid(document))?;
            compare_payment(account, &payment, &money, &mut difference);
        }
        Subject::Checkout => {
            let payment = suspect.subject.bought(document)?;
            compare_session(account, &payment, document, &mut difference);
        }
        Subject::Subscription => compare_end(account, document, &mut difference),
        Subject::UnpaidInvoice
        | Subject::Payment
        | Subject::Refund
        | Subject::CreditNote
        | Subject::Dispute => {}
    }
    difference.found()
}

/// A customer that is deleted in the ledger, and exists at Stripe.
fn compare_customer(account: &OpenAccount, document: Document<'_>, difference: &mut ObjectDifference) {
    let link = document.id_of().and_then(|customer| account.customers.get(&customer));
    if link == Some(&CustomerLink::Gone) && !document.is_true("deleted") {
        difference.note_kept("it is there", "it is gone", StoredFigures::End);
    }
}

/// That it ended follows from its status; here only the time is compared.
fn compare_end(account: &OpenAccount, document: Document<'_>, difference: &mut ObjectDifference) {
    let held = document.id_of().and_then(|id| account.subscriptions.known().get(&id)?.ended_at);
    if let Some((said, held)) = document.time("ended_at").zip(held).filter(|(said, held)| said != held) {
        difference.note_kept(format!("ended at {said}"), format!("ended at {held}"), StoredFigures::Time);
    }
}

/// The time of payment decides which account had the subscription then.
fn compare_time(account: &OpenAccount, document: Document<'_>, difference: &mut ObjectDifference) {
    let said = document.id_of().zip(document.time("status_transitions.paid_at"));
    let Some((invoice, said)) = said else { return };
    let mut facts = account.subscriptions.facts().values();
    if let Some(held) = facts.find_map(|facts| facts.paid_at(&invoice)).filter(|held| *held != said) {
        difference.note_kept(format!("paid at {said}"), format!("paid at {held}"), StoredFigures::Time);
    }
}

/// The invoice of a subscription may be paid in another way than on its page.
fn compare_session(
    account: &OpenAccount,
    payment: &ProviderId,
    document: Document<'_>,
    difference: &mut ObjectDifference,
) {
    let is_unpaid = document.text("payment_status") == Some("unpaid");
    let is_sale = document.text("mode") == Some("payment");
    if let Some(known) = account.payments.paid(payment).filter(|_| is_unpaid && is_sale) {
        difference.note_kept("unpaid", paid(known), StoredFigures::Amount);
    }
}

/// Why a part of an object cannot be compared. `None`: all of it can.
pub(super) fn left_out(account: &Account, steps: &[TranslationStep]) -> Option<String> {
    let account = account.opened()?;
    let mut facts = account.subscriptions.facts().values();
    let paid = steps.iter().find_map(|step| {
        let Command::Purchase(PurchaseCommand::RecordPaidInvoice(paid)) = &step.command else { return None };
        (!paid.lines.is_empty()).then_some(paid)
    })?;
    let is_known = facts.any(|facts| facts.knows_invoice(&paid.invoice));
    (!is_known).then(|| "it was paid before its lines were kept, so only the sum is compared".to_owned())
}
