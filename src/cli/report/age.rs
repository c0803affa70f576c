//! How old is a report?

use crate::{app::open_projector, journal::feed::Feed, projector::ProjectionState};

use super::super::{exit::CliFailure, session::CliSession};

/// How far the read model behind a report was, right before it was read.
pub(super) struct ReportAge {
    /// How many events it does not have yet.
    pub lag_events: i64,
    /// The age of the oldest of them.
    pub lag_ms: i64,
    /// Why it does not go on.
    stopped: Option<String>,
}

impl ReportAge {
    pub(super) async fn read(session: &CliSession, model: &str) -> Result<Self, CliFailure> {
        let feed = Feed::new(session.pool.clone());
        let projector = open_projector(&session.pool, feed, &session.clock).await;
        let listings = projector.map_err(CliFailure::broken)?.list().await.map_err(CliFailure::broken)?;
        let mut age = Self { lag_events: 0, lag_ms: 0, stopped: None };
        for listing in listings.into_iter().filter(|listing| listing.projection == model) {
            match listing.state {
                // Readers see neither.
                ProjectionState::Old | ProjectionState::Rebuilding { .. } => continue,
                ProjectionState::Live => {}
                ProjectionState::Stopped { reason } => age.stopped = Some(reason),
            }
            age.lag_events = age.lag_events.saturating_add(listing.lag_events);
            age.lag_ms = age.lag_ms.max(listing.lag_ms);
        }
        Ok(age)
    }

    pub(super) fn words(&self) -> String {
        let stopped = self.stopped.as_ref().map(|reason| format!(" The read model has stopped: {reason}"));
        let stopped = stopped.unwrap_or_default();
        if self.lag_events == 0 {
            return format!("It has every event up to now.{stopped}");
        }
        let tenths = self.lag_ms.div_euclid(100);
        let (seconds, tenth) = (tenths.div_euclid(10), tenths.rem_euclid(10));
        let events = if self.lag_events == 1 { "event is" } else { "events are" };
        format!("{} {events} not in it yet; the oldest is {seconds}.{tenth} s old.{stopped}", self.lag_events)
    }
}
