//! When is the ledger compared with Stripe automatically? Once a night, by one instance.
//!
//! Events that never arrived are fetched, which only does what Stripe would have done.
//! What no event reports is logged and left to an operator, who runs `counterfoil stripe reconcile --repair` after
//! finding out why (`docs/decisions/0015`).

use std::{collections::BTreeMap, time::Duration};

use chrono::{TimeDelta, Timelike};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::{DAYS_DEFAULT, ReconcileError, ReconcileOptions, ReconcileReport, Reconciler, Subject};
use crate::{domain::time::Timestamp, postgres::lease::WorkLease};

/// How often the time is checked.
const CHECK_INTERVAL: Duration = Duration::from_mins(1);
/// The pause after a failed comparison, so that there are at most three attempts a night.
const FAILED_PAUSE: Duration = Duration::from_mins(20);
/// The name of the lease by which one instance is chosen.
const LEASE_NAME: &str = "counterfoil stripe reconcile";

/// Compares at `hour`, in UTC. An instance that does not run at that hour skips the night.
#[derive(Clone)]
pub struct Nightly {
    reconciler: Reconciler,
    pool: PgPool,
    hour: u8,
}

impl Nightly {
    #[must_use]
    pub const fn new(reconciler: Reconciler, pool: PgPool, hour: u8) -> Self {
        Self { reconciler, pool, hour }
    }

    /// Runs until `stop`. A running comparison is aborted: the next one finds the same.
    pub async fn run(self, stop: CancellationToken) {
        let nights = async {
            loop {
                let mut pause = CHECK_INTERVAL;
                if let Err(error) = self.look().await {
                    pause = FAILED_PAUSE;
                    metrics::counter!("counterfoil_stripe_reconciliations_total", "outcome" => "failed")
                        .increment(1);
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the ledger could not be compared with Stripe"
                    );
                }
                tokio::time::sleep(pause).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = nights => {}
        }
    }

    /// Compares if it is time, and no other instance does or did tonight. Returns the report.
    ///
    /// # Errors
    /// If Stripe or the database does not answer.
    pub async fn look(&self) -> Result<Option<ReconcileReport>, ReconcileError> {
        let now = self.reconciler.now();
        if now.to_utc().hour() != u32::from(self.hour) {
            return Ok(None);
        }
        let Some(lease) = WorkLease::take(&self.pool, LEASE_NAME).await? else { return Ok(None) };
        lease.during(self.alone(now)).await.unwrap_or(Ok(None))
    }

    async fn alone(&self, now: Timestamp) -> Result<Option<ReconcileReport>, ReconcileError> {
        let night = now.to_utc().date_naive();
        // After the lease was taken, so that it sees what was written by whoever had it before.
        let is_done: bool =
            sqlx::query_scalar(include_str!("is_night_done.sql")).bind(night).fetch_one(&self.pool).await?;
        if is_done {
            return Ok(None);
        }
        let since = now.minus(TimeDelta::days(DAYS_DEFAULT.into()));
        let order = ReconcileOptions { since, fetch_events: true, rebuild_events: false };
        let report = self.reconciler.run(order, |_, _| {}).await?;
        let kept = sqlx::query(include_str!("keep_report.sql"))
            .bind(night)
            .bind(report.begun_at.to_utc())
            .bind(report.ended_at.to_utc())
            .bind(sqlx::types::Json(&report))
            .execute(&self.pool)
            .await?;
        if kept.rows_affected() == 0 {
            // This instance was not heard of for some seconds, and another one has compared meanwhile.
            return Ok(None);
        }
        tell(&report);
        Ok(Some(report))
    }
}

/// Logs one line for each drift and one for all, and sets gauges that stay until the next night.
fn tell(report: &ReconcileReport) {
    let mut drifts: BTreeMap<&str, u32> = Subject::ALL.map(|subject| (subject.as_str(), 0)).into();
    for drift in &report.drifts {
        let count = drifts.entry(drift.subject.as_str()).or_default();
        *count = count.saturating_add(1);
        tracing::warn!(
            subject = drift.subject.as_str(),
            object = %drift.object,
            account = drift.account.as_ref().map(tracing::field::display),
            stripe_says = drift.stripe_says,
            ledger_says = drift.ledger_says,
            cause = drift.cause.sentence(),
            what_to_do = "counterfoil stripe reconcile; docs/STRIPE.md says what follows",
            "the ledger is not what Stripe says"
        );
    }
    for left_out in &report.not_compared {
        tracing::warn!(
            subject = left_out.subject.map(Subject::as_str),
            object = left_out.object.as_ref().map(tracing::field::display),
            account = left_out.account.as_ref().map(tracing::field::display),
            because = left_out.because,
            "it could not be compared with Stripe"
        );
    }
    for (subject, count) in drifts {
        metrics::gauge!("counterfoil_stripe_drift", "subject" => subject.to_owned()).set(f64::from(count));
    }
    let fetched = u64::try_from(report.missing_events.len()).unwrap_or(u64::MAX);
    metrics::counter!("counterfoil_stripe_events_fetched_total").increment(fetched);
    metrics::counter!("counterfoil_stripe_reconciliations_total", "outcome" => "done").increment(1);
    tracing::info!(
        events_fetched = fetched,
        drifts = report.drifts.len(),
        not_compared = report.not_compared.len(),
        "the ledger was compared with Stripe"
    );
}
