//! What does the ledger claim to be at Stripe? Each event that refers to an object there is a claim.

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

/// The events that refer to an object at Stripe, except reports on subscriptions, which have an index of their own.
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

/// A claim that something is at Stripe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StripeClaim {
    pub(super) account: AccountId,
    pub(super) object: ProviderId,
    pub(super) what: What,
    /// The claim as a text.
    pub(super) says: String,
}

/// What has to be at Stripe for the claim to be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// This object, which is compared if it exists.
    Object(Subject),
    /// A paid invoice or payment.
    Paid(Subject),
    /// A session on which something was bought.
    Completed,
    /// A page on which a plan can still be paid for.
    Page,
    /// This payment paid this invoice.
    Link(ProviderId),
    /// The refunded total of a payment.
    Total,
}

impl StripeClaim {
    /// Adds the claim. Of two claims about one object the later one counts, but the first one that something was paid.
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

/// The name of a claim about a payment's invoice. A payment pays one invoice.
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

/// The claim of an event. `None`: it makes none.
pub(super) fn claim(recorded: RecordedEvent) -> Option<StripeClaim> {
    let (object, what, says) = match recorded.event {
        Event::Account(AccountEvent::CustomerLinked { customer, .. }) => {
            (customer, What::Object(Subject::Customer), "it is the account's customer".to_owned())
        }
        // If money was paid for it, another claim has the amount.
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

/// The object that an event about money refers to, and what it claims.
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

/// Something is paid by an invoice, a payment, or a session that cost nothing.
fn of_payment(payment: &ProviderId, invoice: Subject) -> Subject {
    match payment.as_str() {
        id if id.starts_with("in_") => invoice,
        id if id.starts_with("cs_") => Subject::Checkout,
        _ => Subject::Payment,
    }
}
