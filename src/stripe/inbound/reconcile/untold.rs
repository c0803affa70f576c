//! What if no command follows from an object, such as a payment that an invoice reports, or a credit note that returned
//! nothing?
//! Then the ledger must not contradict it.

use super::{
    Subject,
    bought::compare_payment,
    difference::{ObjectDifference, note, paid, state},
    report::StoredFigures,
};
use crate::domain::{
    account::{Account, OpenAccount},
    amount::Money,
    ids::ProviderId,
    payments::DisputeState,
};

/// An object from which no command follows.
#[derive(Clone, Copy)]
pub(super) struct UntoldObject<'a> {
    pub(super) object: &'a ProviderId,
    /// The payment or invoice that it is about.
    pub(super) bought: &'a ProviderId,
    /// How much was paid. `None`: nothing, or the object does not say.
    pub(super) money: Option<&'a Money>,
    /// Why no command follows.
    pub(super) because: &'a str,
}

/// The difference. `None`: the ledger has nothing about it, or the same.
pub(super) fn untold(
    account: &Account,
    subject: Subject,
    told: UntoldObject<'_>,
) -> Option<ObjectDifference> {
    let mut difference = ObjectDifference::default();
    let account = account.opened()?;
    match subject {
        Subject::PaidInvoice | Subject::UnpaidInvoice | Subject::Payment => {
            compare_paid(account, told, &mut difference)
        }
        Subject::CreditNote => compare_note(account, told, &mut difference),
        Subject::Dispute => compare_inquiry(account, told, &mut difference),
        Subject::Customer
        | Subject::Subscription
        | Subject::InvoicePayment
        | Subject::Checkout
        | Subject::Refund => {}
    }
    difference.found()
}

fn compare_paid(account: &OpenAccount, told: UntoldObject<'_>, difference: &mut ObjectDifference) {
    let known = account.payments.paid(told.bought).filter(|known| known.minor > 0);
    match (told.money, known) {
        (Some(money), _) if money.minor > 0 => compare_payment(account, told.bought, money, difference),
        (_, Some(known)) => difference.note_kept(told.because, paid(known), StoredFigures::Amount),
        (_, None) => {}
    }
}

fn compare_note(account: &OpenAccount, told: UntoldObject<'_>, difference: &mut ObjectDifference) {
    let known = account.payments.find_note(told.bought, told.object);
    if let Some(known) = known.filter(|known| !known.voided && known.money.minor > 0) {
        difference.note_kept(told.because, note(&known.money, false), StoredFigures::Amount);
    }
}

/// The bank has only made an inquiry, but the ledger has a dispute.
fn compare_inquiry(account: &OpenAccount, told: UntoldObject<'_>, difference: &mut ObjectDifference) {
    let known = account.payments.dispute(told.object).filter(|known| known.state != DisputeState::Won);
    if let Some(known) = known {
        difference.note_kept(told.because, state(known.state), StoredFigures::End);
    }
}
