//! Which events say whether a subscription is paid, and what do they say?

use super::mrr::reports::PaymentState;
use crate::domain::{event::InvoiceEvent, ids::ProviderId, invoice::InvoiceState};

/// Whether a subscription is paid from then on, or will not be by itself; `None`: the event says nothing of it.
pub(super) fn payment(event: &InvoiceEvent) -> Option<(&ProviderId, PaymentState)> {
    match event {
        // What only gave money back pays for nothing.
        InvoiceEvent::InvoicePaid { invoice, .. } => {
            (invoice.total >= 0).then_some((&invoice.subscription, PaymentState::Yes))
        }
        // What was paid for the period before it was changed stays paid.
        InvoiceEvent::InvoiceUnpaid { invoice, .. } if invoice.is_change => None,
        InvoiceEvent::InvoiceUnpaid { invoice, .. } => match invoice.state {
            // The days of grace are for that.
            InvoiceState::Failed => None,
            InvoiceState::Open => Some((&invoice.subscription, PaymentState::Awaited)),
            InvoiceState::Uncollectible | InvoiceState::Void => {
                Some((&invoice.subscription, PaymentState::No))
            }
        },
        InvoiceEvent::PeriodPaid { .. } => None,
    }
}
