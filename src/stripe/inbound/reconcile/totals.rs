//! Is the refunded total of a payment as the ledger has it? Its charges say so, whatever single refunds say.

use serde_json::Value;

use super::{
    ReconcileError, Reconciler, Subject,
    ask::{Checked, ObjectAnswer},
    claim::StripeClaim,
    difference::NOTHING,
    report::StoredFigures,
    seen_hashes::SeenHashes,
};
use crate::{
    domain::payments::PaymentRefunds,
    stripe::{
        client::{CallError, ListFilter, is_missing},
        documents::Document,
    },
};

/// Where a charge has it, and where a payment has it.
const REFUNDED: [&str; 2] = ["amount_refunded", "latest_charge.amount_refunded"];
const CHARGED: [&str; 4] = ["amount_captured", "latest_charge.amount_captured", "amount_received", "amount"];

impl Reconciler {
    /// A refund that is missing in a total is reported by itself, so only a total that is too large is a difference.
    pub(super) async fn check_total(
        &self,
        claim: &StripeClaim,
        seen: &SeenHashes,
    ) -> Result<Checked, ReconcileError> {
        let Some(account) = self.account(&claim.account).await? else {
            return Ok(claim.not_compared("its account cannot be read"));
        };
        let known = account.opened().and_then(|account| account.payments.refunded(&claim.object));
        let Some(PaymentRefunds { single, total: Some(total), paid: Some(paid) }) = known else {
            return Ok(Checked::Holds);
        };
        if seen.has_refunded(&claim.object, total, paid) {
            return Ok(Checked::Holds);
        }
        let charges = match self.charges(claim).await? {
            Ok(charges) => charges,
            Err(checked) => return Ok(checked),
        };
        let sum = |names: &[&str]| -> i64 {
            let amounts = charges.iter().filter_map(|charge| first_amount(Document::new(charge), names));
            amounts.fold(0, i64::saturating_add)
        };
        let (refunded, charged) = (sum(&REFUNDED), sum(&CHARGED));
        Ok(if total > refunded.max(single) {
            claim.differs(format!("{refunded} went back in all"), StoredFigures::Amount)
        } else if paid != charged {
            claim.differs(format!("paid {charged}"), StoredFigures::Amount).but(format!("paid {paid}"))
        } else {
            Checked::Holds
        })
    }

    /// The charges of a payment that took money, or the result if there are none.
    async fn charges(&self, claim: &StripeClaim) -> Result<Result<Vec<Value>, Checked>, ReconcileError> {
        let charges = if claim.object.as_str().starts_with("pi_") {
            let listing = ListFilter::ChargesOf { payment: claim.object.to_string() };
            match self.client.page(&listing, None).await {
                Ok(page) => page.objects,
                Err(CallError::Rejected(rejection)) if is_missing(&rejection) => Vec::new(),
                Err(error) => return Err(error.into()),
            }
        } else {
            Vec::new()
        };
        let took = |charge: &Value| Document::new(charge).text("status") != Some("failed");
        let charges: Vec<Value> = charges.into_iter().filter(took).collect();
        if !charges.is_empty() {
            return Ok(Ok(charges));
        }
        Ok(match self.ask(Subject::Payment, &claim.object).await? {
            ObjectAnswer::There(payment) => Ok(vec![payment]),
            ObjectAnswer::Missing => Err(claim.differs(NOTHING, StoredFigures::Existence)),
            ObjectAnswer::Unanswered(because) => Err(claim.not_compared(because)),
        })
    }
}

fn first_amount(charge: Document<'_>, names: &[&str]) -> Option<i64> {
    charge.first(names).and_then(Document::as_integer)
}

impl Checked {
    /// The claim with what the ledger says about this part.
    fn but(self, ledger_says: String) -> Self {
        let Self::Differs(mut drift) = self else { return self };
        drift.ledger_says = ledger_says;
        Self::Differs(drift)
    }
}
