//! What happened to payments, refunds and disputes?

use crate::{amount::Money, ids::ProviderId, purpose::PaymentPurpose, time::Timestamp};

super::family! {
    PaymentEvent {
        PaymentSucceeded {
            payment: ProviderId,
            money: Money,
            purpose: PaymentPurpose,
            effective_at: Timestamp,
        },
        PaymentFailed {
            payment: ProviderId,
            money: Money,
            purpose: PaymentPurpose,
            /// How many tries there have been.
            attempt: u32,
            effective_at: Timestamp,
        },
        /// The customer has to confirm the payment, such as by 3-D Secure.
        PaymentActionRequired {
            payment: ProviderId,
            money: Money,
            effective_at: Timestamp,
        },
        /// Money went back. `refunded` is the total so far.
        PaymentRefunded {
            payment: ProviderId,
            refunded: Money,
            paid: Money,
            effective_at: Timestamp,
        },
        /// An invoice was paid by this payment. Refunds and disputes name the payment, grants the invoice.
        PaymentLinked {
            payment: ProviderId,
            invoice: ProviderId,
            effective_at: Timestamp,
        },
        /// One refund, known by its own id.
        RefundIssued {
            refund: ProviderId,
            payment: ProviderId,
            money: Money,
            effective_at: Timestamp,
        },
        /// The money of a refund did not arrive and is back with the seller.
        RefundFailed {
            refund: ProviderId,
            payment: ProviderId,
            money: Money,
            refunded_at: Timestamp,
            effective_at: Timestamp,
        },
        /// Of what an invoice was paid with, a part was put on the customer's balance, or given back outside of the
        /// provider.
        CreditNoteIssued {
            note: ProviderId,
            invoice: ProviderId,
            money: Money,
            effective_at: Timestamp,
        },
        CreditNoteVoided {
            note: ProviderId,
            invoice: ProviderId,
            money: Money,
            effective_at: Timestamp,
        },
        DisputeOpened {
            dispute: ProviderId,
            payment: ProviderId,
            money: Money,
            effective_at: Timestamp,
        },
        DisputeClosed {
            dispute: ProviderId,
            payment: ProviderId,
            won: bool,
            /// What was disputed, which may be less than was paid. `None`: all of it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            money: Option<Money>,
            effective_at: Timestamp,
        },
    }
}
