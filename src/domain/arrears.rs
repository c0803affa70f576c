//! Since when has a subscription not been paid?

use serde::{Deserialize, Serialize};

use super::{
    report::{Evidence, put_in_order},
    subscription::{SubscriptionStatus, SubscriptionTerms},
    time::Timestamp,
};

/// Since when a subscription is past due. It is what the reports say since the last one that says otherwise, in
/// whatever order they come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Arrears {
    /// In order, from the one on before the second of the newest report that says that nothing is past due.
    reports: Vec<(Evidence, Paid)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Paid {
    UpToNow,
    PastDue,
}

impl Arrears {
    pub(super) fn observe(&mut self, terms: &SubscriptionTerms) {
        if self.reports.iter().any(|(known, _)| *known == terms.evidence) {
            return;
        }
        let past_due = terms.status == SubscriptionStatus::PastDue;
        let paid = if past_due { Paid::PastDue } else { Paid::UpToNow };
        put_in_order(&mut self.reports, (terms.evidence.clone(), paid));
        let settled = self.reports.iter().rfind(|(_, paid)| *paid == Paid::UpToNow);
        let settled = settled.map(|(evidence, _)| evidence.reported_at);
        let older =
            self.reports.iter().take_while(|(evidence, _)| Some(evidence.reported_at) < settled).count();
        self.reports.drain(..older.saturating_sub(1));
    }

    pub(super) fn since(&self) -> Option<Timestamp> {
        let since = self.reports.rsplit(|(_, paid)| *paid == Paid::UpToNow).next()?;
        since.first().map(|(evidence, _)| evidence.reported_at)
    }
}
