//! Why does a report take revenue away, by what held before it and what was requested?

use super::{
    churn::{CancellationRequest, ChurnCause, RevenueStanding},
    reports::TimelineReport,
};

/// Whether the last request for a subscription is to cancel it.
fn was_requested(requests: &[CancellationRequest], subscription: &str) -> bool {
    let own = requests.iter().filter(|request| request.subscription == subscription);
    own.max_by_key(|request| (request.effective_at, request.sequence)).is_some_and(|last| !last.withdrawn)
}

/// Why a report takes revenue away, if it does; `before` is the one that held before it.
pub(super) fn of_report(
    report: &TimelineReport,
    before: Option<&TimelineReport>,
    requests: &[CancellationRequest],
) -> ChurnCause {
    match report.standing {
        RevenueStanding::Ended => {
            let is_set = |report: &TimelineReport| report.cancel_at.is_some();
            let asked =
                is_set(report) || before.is_some_and(is_set) || was_requested(requests, &report.subscription);
            let unpaid = before.is_some_and(|before| before.standing.waits_for_money());
            if unpaid && !asked { ChurnCause::Unpaid } else { ChurnCause::Cancelled }
        }
        RevenueStanding::Unpaid | RevenueStanding::Incomplete => ChurnCause::Unpaid,
        RevenueStanding::Paused => ChurnCause::Paused,
        RevenueStanding::Moved => ChurnCause::Moved,
        RevenueStanding::Active | RevenueStanding::PastDue | RevenueStanding::Trialing => {
            ChurnCause::Uncharged
        }
    }
}
