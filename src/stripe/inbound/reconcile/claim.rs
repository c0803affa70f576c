//! What does the ledger say that there is at Stripe? Each event that names an object there is a claim of it.

use std::collections::BTreeMap;

use super::{
    Subject,
    difference::{note, paid, shown, state, unpaid, went_back},
};
use crate::domain::{
    event::{AccountEvent, CheckoutEvent, Event, InvoiceEvent, PaymentEvent, PaymentPurpose},
    ids::{AccountId, ProviderId},
    payments::DisputeState,
    recorded::RecordedEvent,
};

/// The events that name an object at Stripe, beside the reports on subscriptions, which have an index of their own.
pub(super) const TYPES: [&str; 16] = [
    "CustomerLinked",
    "InvoicePaid",
    "InvoiceUnpaid",
    "PaymentSucceeded",
    "PaymentFailed",
    "PaymentActionRequired",
    "PaymentRefunded",
    "PaymentLinked",
    "RefundIssued",
    "RefundFailed",
    "CreditNoteIssued",
    "CreditNoteVoided",
    "DisputeOpened",
    "DisputeClosed",
    "CheckoutStarted",
    "CheckoutCompleted",
];

/// That something is at Stripe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StripeClaim {
    pub(super) account: AccountId,
    pub(super) object: ProviderId,
    pub(super) what: What,
    /// In the ledger's words.
    pub(super) says: String,
}

/// What has to be at Stripe for the claim to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Such an object, which is compared if it is there.
    Object(Subject),
    /// An invoice or a payment that has been paid.
    Paid(Subject),
    /// A session on which something was bought.
    Completed,
    /// A page on which a plan can still be paid for.
    Page,
    /// That this payment paid an invoice.
    Link(ProviderId),
    /// How much of a payment has gone back in all.
    Total,
}

impl StripeClaim {
    /// Of two claims of one name the later one counts, but that something was paid is not said better by saying it
    /// again.
    pub(super) fn join(self, claims: &mut BTreeMap<String, Self>) {
        let name = self.name();
        let is_paid = |claim: &Self| matches!(claim.what, What::Paid(_));
        if !(is_paid(&self) && claims.get(&name).is_some_and(is_paid)) {
            claims.insert(name, self);
        }
    }

    pub(super) fn name(&self) -> String {
        match &self.what {
            What::Object(_) | What::Paid(_) | What::Completed | What::Page => self.object.to_string(),
            What::Link(_) => linked(&self.object),
            What::Total => format!("refunds of {}", self.object),
        }
    }
}

/// The name of what a payment was for. A payment pays one invoice.
pub(super) fn linked(payment: &ProviderId) -> String {
    format!("invoice of {payment}")
}

impl What {
    pub(super) const fn subject(&self) -> Subject {
        match self {
            Self::Object(subject) | Self::Paid(subject) => *subject,
            Self::Completed | Self::Page => Subject::Checkout,
            Self::Link(_) => Subject::InvoicePayment,
            Self::Total => Subject::Refund,
        }
    }
}

/// The claim of an event; `None`: it makes none.
pub(super) fn claim(recorded: RecordedEvent) -> Option<StripeClaim> {
    let (object, what, says) = match recorded.event {
        Event::Account(AccountEvent::CustomerLinked { customer, .. }) => {
            (customer, What::Object(Subject::Customer), "it is its customer".to_owned())
        }
        // Where money was paid for it, that says how much.
        Event::Invoice(InvoiceEvent::InvoicePaid { invoice, .. }) => {
            (invoice.invoice, What::Paid(Subject::PaidInvoice), "paid".to_owned())
        }
        Event::Invoice(InvoiceEvent::InvoiceUnpaid { invoice, .. }) => {
            (invoice.invoice, What::Object(Subject::UnpaidInvoice), unpaid(invoice.state).to_owned())
        }
        Event::Checkout(CheckoutEvent::CheckoutStarted {
            session,
            purpose: PaymentPurpose::Subscription { .. },
            ..
        }) => (session, What::Page, "open".to_owned()),
        Event::Checkout(CheckoutEvent::CheckoutCompleted { session, .. }) => {
            (session, What::Completed, "completed".to_owned())
        }
        Event::Payment(event) => of_money(event),
        Event::Account(_)
        | Event::Credits(_)
        | Event::Hold(_)
        | Event::Invoice(InvoiceEvent::PeriodPaid { .. })
        | Event::Subscription(_)
        | Event::Notice(_)
        | Event::Checkout(CheckoutEvent::CheckoutStarted { .. } | CheckoutEvent::CheckoutExpired { .. }) => {
            return None;
        }
    };
    Some(StripeClaim { account: recorded.account, object, what, says })
}

/// The object that an event about money names, and what it says of it.
fn of_money(event: PaymentEvent) -> (ProviderId, What, String) {
    match event {
        PaymentEvent::PaymentRefunded { payment, refunded, .. } => {
            (payment, What::Total, format!("{} in all", went_back(&refunded, false)))
        }
        PaymentEvent::PaymentLinked { payment, invoice, .. } => {
            let says = format!("{payment} paid {invoice}");
            (payment, What::Link(invoice), says)
        }
        PaymentEvent::PaymentSucceeded { payment, money, .. } => {
            let subject = of_payment(&payment, Subject::PaidInvoice);
            (payment, What::Paid(subject), paid(&money))
        }
        PaymentEvent::PaymentFailed { payment, money, .. } => {
            let subject = of_payment(&payment, Subject::UnpaidInvoice);
            (payment, What::Object(subject), format!("{} was not paid", shown(&money)))
        }
        PaymentEvent::PaymentActionRequired { payment, money, .. } => {
            let subject = of_payment(&payment, Subject::UnpaidInvoice);
            (payment, What::Object(subject), format!("{} has to be confirmed", shown(&money)))
        }
        PaymentEvent::RefundIssued { refund, money, .. } => {
            (refund, What::Object(Subject::Refund), went_back(&money, false))
        }
        PaymentEvent::RefundFailed { refund, money, .. } => {
            (refund, What::Object(Subject::Refund), went_back(&money, true))
        }
        PaymentEvent::CreditNoteIssued { note: id, money, .. } => {
            (id, What::Object(Subject::CreditNote), note(&money, false))
        }
        PaymentEvent::CreditNoteVoided { note: id, money, .. } => {
            (id, What::Object(Subject::CreditNote), note(&money, true))
        }
        PaymentEvent::DisputeOpened { dispute, .. } => {
            (dispute, What::Object(Subject::Dispute), state(DisputeState::Open).to_owned())
        }
        PaymentEvent::DisputeClosed { dispute, won, .. } => {
            let end = if won { DisputeState::Won } else { DisputeState::Lost };
            (dispute, What::Object(Subject::Dispute), state(end).to_owned())
        }
    }
}

/// Something is paid by an invoice, by a payment, or by a session that cost nothing.
fn of_payment(payment: &ProviderId, invoice: Subject) -> Subject {
    match payment.as_str() {
        id if id.starts_with("in_") => invoice,
        id if id.starts_with("cs_") => Subject::Checkout,
        _ => Subject::Payment,
    }
}
