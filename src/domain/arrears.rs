//! Since when has a subscription not been paid?

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    subscription::{Evidence, SubscriptionStatus, SubscriptionTerms},
    time::Timestamp,
};

/// Since when a subscription is past due. It is what the reports say since the last one that says otherwise, in
/// whatever order they come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Arrears {
    /// The newest report that says that nothing is past due.
    settled: Option<Evidence>,
    /// The reports since then.
    reports: BTreeSet<Evidence>,
}

impl Arrears {
    pub(super) fn observe(&mut self, terms: &SubscriptionTerms) {
        let evidence = Some(&terms.evidence);
        if terms.status != SubscriptionStatus::PastDue {
            self.settled = self.settled.as_ref().max(evidence).cloned();
        } else if evidence > self.settled.as_ref() {
            self.reports.insert(terms.evidence.clone());
        }
        self.reports.retain(|report| Some(report) > self.settled.as_ref());
    }

    pub(super) fn since(&self) -> Option<Timestamp> {
        self.reports.first().map(|report| report.reported_at)
    }
}
