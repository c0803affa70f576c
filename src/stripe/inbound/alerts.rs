//! Is something wrong with Stripe's deliveries?
//! There are metrics for dashboards, and log lines for those who have to act.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use super::inbox::{Inbox, InboxState, claim::EventResult};

/// After this many failures in a row, an error is logged.
pub const FAILURES_IN_A_ROW_MAX: u32 = 5;

/// What one processor has seen lately. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    failures: Arc<AtomicU32>,
}

impl Watch {
    /// Counts and logs the result of an event.
    pub(super) fn event(&self, settled: &EventResult) {
        metrics::counter!("counterfoil_inbox_events_total", "state" => settled.state.as_str()).increment(1);
        let (event, reason) = (&settled.event_id, settled.reason.as_deref().unwrap_or_default());
        let state = settled.state.as_str();
        match settled.state {
            InboxState::Dead => {
                metrics::counter!("counterfoil_inbox_dead_letters_total").increment(1);
                let what_to_do = to_do(event);
                tracing::error!(event, reason, what_to_do, "a Stripe event could not be processed");
                self.failed();
            }
            InboxState::Quarantined => {
                tracing::warn!(event, reason, "a Stripe event is not for this deployment, and was put aside");
            }
            // Waiting for a customer or a payment is only an error if it lasts too long.
            InboxState::Waiting => tracing::debug!(event, state, reason, "a Stripe event waits"),
            InboxState::Received
            | InboxState::Processed
            | InboxState::Ignored
            | InboxState::NotHandledYet
            | InboxState::Discarded => {
                tracing::debug!(event, state, reason, "a Stripe event was handled");
                self.succeeded();
            }
        }
    }

    /// Counts a failure of the processor as a whole.
    pub(super) fn failed(&self) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if failures.checked_rem(FAILURES_IN_A_ROW_MAX) == Some(0) {
            metrics::counter!("counterfoil_inbox_alerts_total").increment(1);
            tracing::error!(
                failures,
                what_to_do = "counterfoil inbox list --state dead; docs/STRIPE.md says what follows",
                "Stripe events fail one after the other"
            );
        }
    }

    fn succeeded(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// How many failures there were since the last success.
    #[must_use]
    pub fn failures_in_a_row(&self) -> u32 {
        self.failures.load(Ordering::Relaxed)
    }
}

/// What an operator should do about a dead event.
#[must_use]
pub fn to_do(event: &str) -> String {
    format!(
        "counterfoil inbox show {event}; mend the cause; counterfoil inbox retry {event}, or, if it is none of \
         ours, counterfoil inbox discard {event} --reason TEXT"
    )
}

/// Sets the gauges of how many events are in each state.
///
/// # Errors
/// If the database does not answer.
pub async fn measure(inbox: &Inbox) -> Result<(), sqlx::Error> {
    for (state, count) in inbox.count_open().await? {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        metrics::gauge!("counterfoil_inbox_events", "state" => state.as_str()).set(f64::from(count));
    }
    Ok(())
}
