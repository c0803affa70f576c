//! Which payments paid an invoice, and how much did each pay?
//! Stripe lists the payments of an invoice with their amounts; the ledger has the total.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    ReconcileError, Reconciler, Subject,
    ask::{Checked, ObjectAnswer},
    claim::StripeClaim,
    difference::{NOTHING, ObjectDifference, paid},
    report::StoredFigures,
    suspect::Suspect,
};
use crate::{
    domain::{account::Account, amount::Money, ids::ProviderId},
    stripe::{
        client::{CallError, ListFilter, is_missing},
        documents::Document,
        translate::payments,
    },
};

/// The result of comparing a payment's amount.
pub(super) enum LinkComparison {
    Same,
    Otherwise(ObjectDifference),
    NotCompared(String),
}

impl Reconciler {
    /// Whether a payment paid as much of its invoice as the ledger's total leaves after the other payments.
    pub(super) async fn compare_share(
        &self,
        account: &Account,
        suspect: &Suspect,
    ) -> Result<LinkComparison, ReconcileError> {
        let Some((payment, money)) = suspect.share() else { return Ok(LinkComparison::Same) };
        let Some(known) = account.opened().map(|account| &account.payments) else {
            return Ok(LinkComparison::Same);
        };
        let Some(invoice) = known.invoice_of(&payment) else { return Ok(LinkComparison::Same) };
        let Some(whole) = known.paid(invoice) else { return Ok(LinkComparison::Same) };
        if *whole == money && known.payments_of(invoice).nth(1).is_none() {
            return Ok(LinkComparison::Same);
        }
        let others = match self.paid_by_others(invoice, &payment).await? {
            Ok(others) => others,
            Err(because) => return Ok(LinkComparison::NotCompared(because)),
        };
        let left = Money { minor: whole.minor.saturating_sub(others), currency: whole.currency.clone() };
        if left == money {
            return Ok(LinkComparison::Same);
        }
        let mut difference = ObjectDifference::default();
        let says = |money: &Money| format!("{} of {invoice}", paid(money));
        difference.note_kept(says(&money), says(&left), StoredFigures::Amount);
        Ok(LinkComparison::Otherwise(difference))
    }

    /// How much of an invoice other payments paid, at Stripe and outside of it; or why that is not known.
    async fn paid_by_others(
        &self,
        invoice: &ProviderId,
        payment: &ProviderId,
    ) -> Result<Result<i64, String>, ReconcileError> {
        let listed = self.payments_of(invoice).await?;
        if listed.is_empty() {
            return Ok(Err(format!("Stripe lists no payments of {invoice}")));
        }
        let whole = match self.ask(Subject::PaidInvoice, invoice).await? {
            ObjectAnswer::There(whole) => whole,
            ObjectAnswer::Missing => Value::Null,
            ObjectAnswer::Unanswered(because) => return Ok(Err(because)),
        };
        let whole = Document::new(&whole);
        if whole.integer("amount_overpaid").is_some_and(|overpaid| overpaid > 0) {
            return Ok(Err(format!("{invoice} was overpaid, and Stripe does not say by which payment")));
        }
        let sum = |of: &dyn Fn(Option<ProviderId>) -> bool| {
            let shares = listed.iter().map(Document::new).filter(|share| of(payment_of(*share)));
            shares.filter_map(|share| share.integer("amount_paid")).fold(0, i64::saturating_add)
        };
        let outside = whole.integer("amount_paid_off_stripe").unwrap_or(0);
        // Payments outside of Stripe may be listed among the payments, too.
        let outside = outside.max(sum(&|of| of.is_none()));
        Ok(Ok(outside.saturating_add(sum(&|of| of.is_some_and(|of| of != *payment)))))
    }

    /// Checks a link that Stripe did not list, by the invoice's own payments.
    pub(super) async fn check_link(
        &self,
        claim: &StripeClaim,
        invoice: &ProviderId,
    ) -> Result<Checked, ReconcileError> {
        let read_at = self.now();
        let listed = self.payments_of(invoice).await?;
        let is_it = |object: &Value| payment_of(Document::new(object)).as_ref() == Some(&claim.object);
        if let Some(object) = listed.iter().find(|object| is_it(object)).cloned() {
            return Ok(Checked::Suspect(Suspect { subject: Subject::InvoicePayment, object, read_at }));
        }
        let mut others: BTreeSet<ProviderId> =
            listed.iter().filter_map(|object| payment_of(Document::new(object))).collect();
        match self.ask(Subject::PaidInvoice, invoice).await? {
            ObjectAnswer::There(object) => others.extend(payments(Document::new(&object))),
            ObjectAnswer::Missing => {}
            ObjectAnswer::Unanswered(because) => return Ok(claim.not_compared(because)),
        }
        Ok(if others.contains(&claim.object) {
            Checked::Holds
        } else if others.is_empty() {
            claim.differs(NOTHING, StoredFigures::Existence)
        } else {
            let others: Vec<&str> = others.iter().map(ProviderId::as_str).collect();
            claim.differs(format!("{} paid {invoice}", others.join(", ")), StoredFigures::Purpose)
        })
    }

    /// All payments that have paid a part of an invoice.
    async fn payments_of(&self, invoice: &ProviderId) -> Result<Vec<Value>, ReconcileError> {
        let listing = ListFilter::PaymentsOf { invoice: invoice.to_string() };
        let (mut paid, mut after) = (Vec::new(), None);
        loop {
            let page = match self.client.page(&listing, after.as_deref()).await {
                Ok(page) => page,
                // The invoice does not exist.
                Err(CallError::Rejected(rejection)) if is_missing(&rejection) => return Ok(paid),
                Err(error) => return Err(error.into()),
            };
            let is_paid = |object: &Value| Document::new(object).text("status") == Some("paid");
            paid.extend(page.objects.into_iter().filter(is_paid));
            let Some(next) = page.next else { return Ok(paid) };
            after = Some(next);
        }
    }
}

/// The payment. `None`: the money was taken outside of Stripe.
fn payment_of(object: Document<'_>) -> Option<ProviderId> {
    object.first_id(&["payment.payment_intent", "payment.charge"])
}
