//! Which events say whether a subscription is paid, and what do they say?

use super::mrr::reports::PaymentState;
use crate::domain::{event::InvoiceEvent, ids::ProviderId, invoice::InvoiceState};

/// Whether a subscription is paid from then on, or will not be by itself. `None`: the event says nothing about it.
pub(super) fn payment(event: &InvoiceEvent) -> Option<(&ProviderId, PaymentState)> {
    match event {
        // An invoice that only returns money pays for nothing.
        InvoiceEvent::InvoicePaid { invoice, .. } => {
            (invoice.total >= 0).then_some((&invoice.subscription, PaymentState::Yes))
        }
        // The period before the change stays paid.
        InvoiceEvent::InvoiceUnpaid { invoice, .. } if invoice.is_change => None,
        InvoiceEvent::InvoiceUnpaid { invoice, .. } => match invoice.state {
            // A failed payment is covered by the days of grace.
            InvoiceState::Failed => None,
            InvoiceState::Open => Some((&invoice.subscription, PaymentState::Awaited)),
            InvoiceState::Uncollectible | InvoiceState::Void => {
                Some((&invoice.subscription, PaymentState::No))
            }
        },
        InvoiceEvent::PeriodPaid { .. } => None,
    }
}
