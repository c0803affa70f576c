//! Whose features, limits and discounts hold?

use std::{borrow::Cow, collections::BTreeSet};

use super::OpenAccount;
use crate::{
    catalog::{Catalog, Plan},
    ids::PlanId,
    time::Timestamp,
};

impl OpenAccount {
    /// The plan whose features, limits and discounts hold at `at`.
    /// If several subscriptions give a plan, these plans are combined, and limits per seat are multiplied by the seats.
    /// A plan that no catalog knows gives what the free plan gives.
    #[must_use]
    pub fn terms<'c>(&self, at: Timestamp, catalog: &'c Catalog) -> Option<Cow<'c, Plan>> {
        let plans: BTreeSet<&PlanId> = self.subscriptions.plans(at, self.known(catalog)).collect();
        let terms = plans.into_iter().filter_map(|plan| catalog.terms_of(plan));
        let mut known: Vec<Cow<'c, Plan>> = terms
            .map(|plan| plan.for_seats(|| self.subscriptions.seats(&plan.id, at, self.known(catalog))))
            .collect();
        known.sort_by_key(|plan| catalog.rank(&plan.id));
        let Some(largest) = known.pop() else {
            return catalog.terms_or_free(&self.free_plan).map(Cow::Borrowed);
        };
        if known.is_empty() {
            return Some(largest);
        }
        let together = known.iter().fold(largest.into_owned(), |together, plan| together.with(plan));
        Some(Cow::Owned(together))
    }
}
