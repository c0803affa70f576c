//! Does an account have what was bought? One purchase may be reported twice.

use super::OpenAccount;
use crate::{command::RecordPackPurchase, credits::Grant, purchase_records::FirstReporter};

impl OpenAccount {
    /// Whether the account already has what was bought.
    /// A checkout session and the invoice that it made report the same purchase, and only the first report grants.
    #[must_use]
    pub fn is_granted(&self, purchase: &RecordPackPurchase) -> bool {
        let is_there = |purchase: &RecordPackPurchase| {
            purchase.grant_id().is_ok_and(|id| self.wallet.find(&id).is_some())
        };
        let whole = RecordPackPurchase { item: None, ..purchase.clone() };
        is_there(purchase)
            || is_there(&whole)
            || self.is_told_otherwise(purchase)
            || (self.was_elsewhere(purchase.effective_at) && self.payments.has_succeeded(&purchase.payment))
    }

    /// The grant of exactly this purchase. `None`: another report granted it, or nothing did.
    #[must_use]
    pub fn grant_of(&self, purchase: &RecordPackPurchase) -> Option<&Grant> {
        self.wallet.find(&purchase.grant_id().ok()?)
    }

    fn is_told_otherwise(&self, purchase: &RecordPackPurchase) -> bool {
        let told = self.sales.first_reporter(&purchase.payment);
        match (told, &purchase.session) {
            (Some(FirstReporter::Session), None) | (Some(FirstReporter::Lines), Some(_)) => return true,
            (Some(FirstReporter::Session), Some(_))
            | (Some(FirstReporter::Lines) | None, None)
            | (None, Some(_)) => {}
        }
        // Bought by the payment itself, before its invoice was known.
        let payments = &self.payments;
        let mut bought = self.wallet.grants().filter_map(|grant| {
            let is_pack = grant.terms.grant_id.as_str().starts_with("pack:");
            grant.terms.payment.as_ref().filter(|_| is_pack)
        });
        bought.any(|by| *by != purchase.payment && *payments.bought_by(by) == purchase.payment)
    }
}
