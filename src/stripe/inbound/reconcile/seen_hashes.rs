//! What has Stripe shown so far?
//! Only hashes are kept, with sixteen bytes for each object, so that a large account fits into memory.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::{
    Subject,
    claim::{StripeClaim, linked},
};
use crate::{
    domain::ids::ProviderId,
    stripe::{documents::Document, translate::payments},
};

/// How many bytes of a hash are kept.
const BYTES: usize = 16;

#[derive(Default)]
pub(super) struct SeenHashes(BTreeSet<[u8; BYTES]>);

impl SeenHashes {
    /// Records that an object was read, and what it says about others.
    pub(super) fn note(&mut self, subject: Subject, object: Document<'_>) {
        let Some(id) = object.id_of() else { return };
        self.add(id.as_str());
        match subject {
            Subject::InvoicePayment => {
                let payment = object.first_id(&["payment.payment_intent", "payment.charge"]);
                payment.iter().for_each(|payment| self.add(&linked(payment)));
            }
            Subject::PaidInvoice => payments(object).for_each(|payment| self.add(&linked(&payment))),
            Subject::Checkout => {
                if let Some(payment) = object.id("payment_intent") {
                    self.add(payment.as_str());
                    object.id("invoice").iter().for_each(|_| self.add(&linked(&payment)));
                }
            }
            Subject::Payment => self.add_refunded(&id, object),
            Subject::Customer
            | Subject::Subscription
            | Subject::UnpaidInvoice
            | Subject::Refund
            | Subject::CreditNote
            | Subject::Dispute => {}
        }
    }

    pub(super) fn has(&self, id: &ProviderId) -> bool {
        self.0.contains(&hash(id.as_str()))
    }

    /// Whether a claim was already checked, because Stripe listed the object or it was asked for.
    pub(super) fn has_claim(&self, claim: &StripeClaim) -> bool {
        self.0.contains(&hash(&claim.name()))
    }

    pub(super) fn note_claim(&mut self, claim: &StripeClaim) {
        self.add(&claim.name());
    }

    /// Whether Stripe said that this much of the payment was refunded, in minor units.
    pub(super) fn has_refunded(&self, payment: &ProviderId, refunded: i64, paid: i64) -> bool {
        self.0.contains(&hash(&total(payment, refunded, paid)))
    }

    fn add(&mut self, id: &str) {
        self.0.insert(hash(id));
    }

    /// Records how much of a payment was refunded, by a charge that was read besides it.
    fn add_refunded(&mut self, payment: &ProviderId, object: Document<'_>) {
        let refunded = object.integer("latest_charge.amount_refunded");
        if let Some((refunded, paid)) = refunded.zip(object.integer("latest_charge.amount_captured")) {
            self.add(&total(payment, refunded, paid));
        }
    }
}

fn total(payment: &ProviderId, refunded: i64, paid: i64) -> String {
    format!("{payment} {refunded} {paid}")
}

fn hash(text: &str) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes.iter_mut().zip(Sha256::digest(text)).for_each(|(kept, byte)| *kept = byte);
    bytes
}
