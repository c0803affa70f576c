//! For how many seats does a plan hold? For as many as were paid for.

use chrono::TimeDelta;

use super::{Facts, PlanConditions};
use crate::{ids::PlanId, time::Timestamp};

impl Facts {
    /// The seats of the plan that the subscription gives at `at`: as many as were paid for, for that time or, while it
    /// is bridged, for the time before.
    /// If nothing was paid, as in a trial: as many as are reported.
    pub(crate) fn seats(&self, plan: &PlanId, at: Timestamp, known: PlanConditions<'_>) -> u64 {
        let payments = known.payments;
        let last = || self.paid_until(payments).map(|end| end.minus(TimeDelta::seconds(1)).min(at));
        let then = if self.plan_paid(at, payments).is_some() { Some(at) } else { last() };
        let paid = then.map(|then| self.quantity_paid(plan, then, payments));
        let reported = || self.newest().filter(|report| report.plan == *plan).map(|report| report.quantity);
        let paid = paid.and_then(|paid| u64::try_from(paid).ok()).filter(|paid| *paid > 0);
        paid.or_else(|| reported().map(u64::from)).unwrap_or(1)
    }
}
