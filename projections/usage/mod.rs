//! How much was used when, by whom and for which type of generation?
//!
//! Usage is stored per quarter of an hour, by effective time; queries sum it to days in the catalog's time zone.
//! Held credits count when they are committed, or spent in parts.
//! A refund counts on its own day, so that days that are over never change.

mod buckets;
mod queries;

use chrono::{DateTime, Utc};
use futures::{FutureExt, future::BoxFuture};
use rustc_hash::FxHashMap;
use sqlx::PgConnection;

use crate::domain::{
    event::{CreditsEvent, Event, HoldEvent, Purpose},
    ids::AccountId,
    recorded::{RecordedEvent, Shard},
};

use super::{
    calendar::quarter_of_an_hour,
    projection::{ApplyError, Projection, Tables},
    shards,
};

pub use buckets::Buckets;
pub use queries::{Day, UsageGroup, of_account, overall, used_between};

pub struct UsageProjection;

impl Projection for UsageProjection {
    fn name(&self) -> &'static str {
        "usage"
    }

    fn definition(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn tables(&self) -> &'static [&'static str] {
        &["usage"]
    }

    fn totals(&self) -> &'static str {
        include_str!("totals.sql")
    }

    fn apply<'a>(
        &'a self,
        events: &'a [&'a RecordedEvent],
        tables: Tables,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let Some(shard) = shards::of_batch(events) else { return Ok(()) };
            write(shard, fold(events), tables, connection).await
        }
        .boxed()
    }
}

type UsageKey<'a> = (&'a AccountId, DateTime<Utc>, &'a str);

#[derive(Default)]
struct UsageTally {
    count: i64,
    credits: i64,
    refunds: i64,
    credits_refunded: i64,
}

impl UsageTally {
    const fn used(credits: i64) -> Self {
        Self { count: 1, credits, refunds: 0, credits_refunded: 0 }
    }

    const fn refunded(credits: i64) -> Self {
        Self { count: 0, credits: 0, refunds: 1, credits_refunded: credits }
    }

    /// A sum that does not fit becomes the largest number, so that the absurd amounts of one account do not hide the
    /// others.
    const fn add(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.credits = self.credits.saturating_add(other.credits);
        self.refunds = self.refunds.saturating_add(other.refunds);
        self.credits_refunded = self.credits_refunded.saturating_add(other.credits_refunded);
    }
}

fn fold<'a>(events: &'a [&'a RecordedEvent]) -> Vec<(UsageKey<'a>, UsageTally)> {
    let mut counts: FxHashMap<UsageKey<'a>, UsageTally> = FxHashMap::default();
    for recorded in events {
        let Some((purpose, count)) = counted(&recorded.event) else { continue };
        let kind = match purpose {
            Purpose::Generation { kind, .. } => kind.as_str(),
            Purpose::Named { .. } => "",
        };
        let quarter = quarter_of_an_hour(recorded.event.effective_at());
        counts.entry((&recorded.account, quarter, kind)).or_default().add(&count);
    }
    let mut sorted: Vec<_> = counts.into_iter().collect();
    // In the order of the key, so that two writers cannot deadlock, and the index is scanned once.
    sorted.sort_unstable_by_key(|(key, _)| *key);
    sorted
}

/// Whether an event is counted as a use.
pub(super) fn is_use(event: &Event) -> bool {
    counted(event).is_some_and(|(_, tally)| tally.count > 0)
}

fn counted(event: &Event) -> Option<(&Purpose, UsageTally)> {
    match event {
        // All of it was spent or returned in parts, which have counted.
        Event::Hold(HoldEvent::HoldCommitted { amount, windows: Some(_), .. }) if amount.is_zero() => None,
        Event::Credits(CreditsEvent::CreditsDeducted { amount, purpose, .. })
        | Event::Hold(
            HoldEvent::HoldCommitted { amount, purpose, .. } | HoldEvent::HoldSpent { amount, purpose, .. },
        ) => Some((purpose, UsageTally::used(amount.get()))),
        Event::Credits(CreditsEvent::CreditsRefunded { amount, purpose, .. }) => {
            Some((purpose, UsageTally::refunded(amount.get())))
        }
        Event::Account(_)
        | Event::Credits(
            CreditsEvent::CreditsGranted { .. }
            | CreditsEvent::CreditsExpired { .. }
            | CreditsEvent::CreditsAdjusted { .. }
            | CreditsEvent::CreditsClawedBack { .. }
            | CreditsEvent::CreditsRestored { .. }
            | CreditsEvent::GrantFrozen { .. }
            | CreditsEvent::GrantUnfrozen { .. }
            | CreditsEvent::GrantEndMoved { .. }
            | CreditsEvent::DebtPaid { .. }
            | CreditsEvent::DebtForgiven { .. },
        )
        | Event::Hold(
            HoldEvent::CreditsHeld { .. }
            | HoldEvent::HoldExtended { .. }
            | HoldEvent::HoldToppedUp { .. }
            | HoldEvent::HoldReduced { .. }
            | HoldEvent::HoldReleased { .. }
            | HoldEvent::HoldExpired { .. },
        )
        | Event::Invoice(_)
        | Event::Notice(_)
        | Event::Subscription(_)
        | Event::Payment(_)
        | Event::Checkout(_) => None,
    }
}

async fn write(
    shard: Shard,
    counts: Vec<(UsageKey<'_>, UsageTally)>,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), ApplyError> {
    if counts.is_empty() {
        return Ok(());
    }
    let column = |value: fn(&UsageTally) -> i64| -> Vec<i64> {
        counts.iter().map(|(_, count)| value(count)).collect()
    };
    sqlx::query(&tables.statement(include_str!("add.sql")))
        .bind(shard.0)
        .bind(counts.iter().map(|((account, _, _), _)| account.as_str()).collect::<Vec<_>>())
        .bind(counts.iter().map(|((_, quarter, _), _)| *quarter).collect::<Vec<_>>())
        .bind(counts.iter().map(|((_, _, kind), _)| *kind).collect::<Vec<_>>())
        .bind(column(|count| count.count))
        .bind(column(|count| count.credits))
        .bind(column(|count| count.refunds))
        .bind(column(|count| count.credits_refunded))
        .execute(connection)
        .await?;
    Ok(())
}
