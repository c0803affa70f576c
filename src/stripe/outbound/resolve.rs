//! How are calls with unknown outcomes resolved?
//! Stripe is called again with the same key while it remembers the key; after that, the object of the call is read, if
//! that shows the outcome.
//!
//! Several instances may do this at the same time: each claims other calls, and a call that is sent twice takes effect
//! once.

use std::{future::ready, time::Duration};

use futures::{FutureExt, StreamExt, stream};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{Billing, BillingError, duplicate_subscription::DuplicateEnding, runner::RecordedCall};
use crate::stripe::calls::{CallId, DueCall, Operation, UnknownOutcome, for_each_operation};

/// How often due calls are looked for.
pub const RESOLVE_INTERVAL: Duration = Duration::from_secs(5);
/// How many calls are resolved in one round.
const CALLS_MAX: i64 = 32;
/// How many calls are sent at the same time: few, so that a recovering Stripe is not overloaded.
const CALLS_CONCURRENT_MAX: usize = 8;
/// How many old pages are deleted in one round.
const PAGES_MAX: i64 = 1_000;

/// The results of one round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResolvedCalls {
    pub done: u64,
    pub rejected: u64,
    /// The outcome can no longer be found out.
    pub lost: u64,
    /// Not known yet. They are tried again later.
    pub open: u64,
}

/// The result for one call.
#[derive(Clone, Copy, Debug)]
enum ResolveOutcome {
    Done,
    Rejected,
    Lost,
    Open,
}

impl Billing {
    /// Runs until `stop`, if Stripe is called at all.
    pub async fn resolve_until(self, stop: CancellationToken) {
        let mut interval = tokio::time::interval(RESOLVE_INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = interval.tick() => {}
            }
            if let Err(error) = self.resolve(&stop).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "open calls to Stripe cannot be looked at"
                );
            }
        }
    }

    /// Resolves due calls, and deletes old pages.
    ///
    /// # Errors
    /// If the database does not answer. What was resolved by then stays resolved.
    pub async fn resolve(&self, stop: &CancellationToken) -> Result<ResolvedCalls, BillingError> {
        let mut resolved = ResolvedCalls::default();
        if self.client().is_err() {
            return Ok(resolved);
        }
        let calls = &self.0.calls;
        let due = calls.claim(self.now(), CALLS_MAX).await.map_err(BillingError::Storage)?;
        let due = stream::iter(due).take_while(|_| ready(!stop.is_cancelled()));
        let mut found = due.map(|due| self.resolve_one(due)).buffer_unordered(CALLS_CONCURRENT_MAX);
        while let Some(found) = found.next().await {
            let (due, outcome) = found?;
            resolved.count(&due, outcome);
        }
        calls.forget_pages(self.now(), PAGES_MAX).await.map_err(BillingError::Storage)?;
        let (open, oldest_s) = calls.count_open(self.now()).await.map_err(BillingError::Storage)?;
        let gauged = |figure: i64| f64::from(u32::try_from(figure).unwrap_or(u32::MAX));
        metrics::gauge!("counterfoil_stripe_calls_open").set(gauged(open));
        metrics::gauge!("counterfoil_stripe_calls_open_oldest_seconds").set(gauged(oldest_s.max(0)));
        Ok(resolved)
    }

    async fn resolve_one(&self, due: DueCall) -> Result<(DueCall, ResolveOutcome), BillingError> {
        let outcome = self.find_out(&due).await?;
        Ok((due, outcome))
    }

    async fn find_out(&self, due: &DueCall) -> Result<ResolveOutcome, BillingError> {
        // Operations of a newer release are resolved by its instances.
        let id = Operation::find(&due.operation).and_then(|operation| due.id(operation));
        let Some(id) = id else { return Ok(ResolveOutcome::Open) };
        let asked = self.ask_again(&id).await;
        match asked {
            Ok(()) => Ok(ResolveOutcome::Done),
            Err(BillingError::Rejected(_)) => Ok(ResolveOutcome::Rejected),
            Err(BillingError::OutcomeLost) => self.give_up(&id).await,
            Err(BillingError::Storage(error)) => Err(BillingError::Storage(error)),
            Err(error) => {
                let key = id.stripe_key();
                let (operation, stripe_key) = (id.operation.as_str(), key.as_str());
                let error = &error as &dyn std::error::Error;
                tracing::debug!(operation, stripe_key, error, "a call to Stripe stays open");
                Ok(ResolveOutcome::Open)
            }
        }
    }

    /// Handles a call whose key Stripe has forgotten.
    async fn give_up(&self, id: &CallId) -> Result<ResolveOutcome, BillingError> {
        let unknown = id.operation.unknown_outcome();
        if unknown == UnknownOutcome::Compare {
            match self.find_amended(id).await {
                Ok(true) => return Ok(ResolveOutcome::Done),
                // An object that does not exist, or is another account's, does not show the outcome.
                Ok(false) | Err(BillingError::Rejected(_)) => {}
                Err(BillingError::Storage(error)) => return Err(BillingError::Storage(error)),
                Err(_) => return Ok(ResolveOutcome::Open),
            }
        }
        let key = id.stripe_key();
        let (account, operation, stripe_key) = (id.account.as_str(), id.operation.as_str(), key.as_str());
        tracing::error!(
            account,
            operation,
            stripe_key,
            what_to_do = "look in Stripe's request log for the key; docs/STRIPE.md says what follows",
            "whether Stripe did it was not found out in time"
        );
        let given_up = match unknown {
            UnknownOutcome::Forget => self.0.calls.forget(id).await,
            UnknownOutcome::Compare | UnknownOutcome::Lose => self.0.calls.mark_lost(id, self.now()).await,
        };
        given_up.map_err(BillingError::Storage)?;
        Ok(ResolveOutcome::Lost)
    }
}

/// Finds out about a call as the request in its operation's row does.
macro_rules! by_request {
    ($($(#[$doc:meta])* $name:ident = $stored:literal => $unknown:ident, $request:ident;)*) => {
        impl Billing {
            async fn ask_again(&self, id: &CallId) -> Result<(), BillingError> {
                use crate::stripe::client::*;

                match id.operation {
                    $(Operation::$name => $request::find_out(self, id).boxed(),)*
                }
                .await
            }
        }
    };
}

for_each_operation!(by_request);

impl ResolvedCalls {
    fn count(&mut self, due: &DueCall, outcome: ResolveOutcome) {
        let (count, name) = match outcome {
            ResolveOutcome::Done => (&mut self.done, "done"),
            ResolveOutcome::Rejected => (&mut self.rejected, "rejected"),
            ResolveOutcome::Lost => (&mut self.lost, "lost"),
            ResolveOutcome::Open => (&mut self.open, "open"),
        };
        *count = count.saturating_add(1);
        let operation = due.operation.clone();
        metrics::counter!("counterfoil_stripe_calls_resolved_total", "operation" => operation, "outcome" => name)
            .increment(1);
    }
}
