//! Which invoices of a plan were paid, and which were not?

use crate::{
    invoice::{PaidInvoice, UnpaidInvoice},
    subscription::Term,
    time::Timestamp,
};

super::family! {
    InvoiceEvent {
        /// A plan's period was paid for, or is free. Its allocation is granted month by month.
        PeriodPaid {
            term: Term,
            effective_at: Timestamp,
        },
        /// An invoice of a subscription was paid. What its lines give and take back follows from all known facts.
        InvoicePaid {
            invoice: PaidInvoice,
            effective_at: Timestamp,
        },
        /// An invoice of a subscription is not paid: its payment is awaited or has failed, or it will never be paid.
        InvoiceUnpaid {
            invoice: UnpaidInvoice,
            effective_at: Timestamp,
        },
    }
}
