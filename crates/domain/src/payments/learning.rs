//! What does each event add to what is known of payments?

use super::PaymentRecords;
use crate::{event::PaymentEvent, ids::ProviderId};

impl PaymentRecords {
    /// Adds what an event says. Events that are kept as history only add nothing.
    pub(crate) fn learn(&mut self, event: &PaymentEvent) {
        match event {
            PaymentEvent::PaymentFailed { .. } | PaymentEvent::PaymentActionRequired { .. } => {}
            PaymentEvent::PaymentSucceeded { payment, money, .. } => self.succeed(payment, money),
            PaymentEvent::PaymentLinked { payment, invoice, .. } => self.link(payment, invoice),
            PaymentEvent::PaymentRefunded { payment, refunded, paid, effective_at } => {
                self.note_total(payment, refunded.minor, paid.minor, *effective_at);
            }
            PaymentEvent::RefundIssued { refund, payment, money, effective_at } => {
                self.note_refund(payment, refund, money, *effective_at, None);
            }
            PaymentEvent::RefundFailed { refund, payment, money, refunded_at, effective_at } => {
                self.note_refund(payment, refund, money, *refunded_at, Some(*effective_at));
            }
            PaymentEvent::DisputeOpened { dispute, payment, money, .. } => {
                self.open(dispute, payment, money);
            }
            PaymentEvent::DisputeClosed { dispute, payment, won, money, effective_at } => {
                self.close(dispute, payment, *won, money.clone(), *effective_at);
            }
            PaymentEvent::CreditNoteIssued { note, invoice, money, effective_at } => {
                self.note(invoice, note, money, false, *effective_at);
            }
            PaymentEvent::CreditNoteVoided { note, invoice, money, effective_at } => {
                self.note(invoice, note, money, true, *effective_at);
            }
        }
    }
}

impl PaymentEvent {
    /// The payment or invoice of which money may be returned or come back. `None`: the event is about something else.
    #[must_use]
    pub const fn returned_of(&self) -> Option<&ProviderId> {
        match self {
            Self::PaymentLinked { payment, .. }
            | Self::PaymentRefunded { payment, .. }
            | Self::RefundIssued { payment, .. }
            | Self::RefundFailed { payment, .. }
            | Self::DisputeOpened { payment, .. }
            | Self::DisputeClosed { payment, .. } => Some(payment),
            Self::CreditNoteIssued { invoice, .. } | Self::CreditNoteVoided { invoice, .. } => Some(invoice),
            Self::PaymentSucceeded { .. }
            | Self::PaymentFailed { .. }
            | Self::PaymentActionRequired { .. } => None,
        }
    }
}
