//! What is the monthly recurring revenue of each account, and what changed it?
//!
//! All reports on subscriptions are stored, with their payments and the discounts of customers.
//! When something is added, all movements of the account are computed again, so that the figures do not depend on the
//! order in which webhooks arrive.
//! A late report changes the day on which it took effect; days that were over by then are listed as restatements.
//! The sums of all movements are kept by day and month, and of each movement until when it holds, so that no question
//! reads what was before it.
//!
//! A subscription that is cancelled at the end of its period counts until a report says that it has ended, and ends at
//! the time of that report.

mod figures;
pub mod movements;
mod paying;
mod queries;
pub mod reports;
mod restated;
mod retention;
mod sums;
pub mod timeline;
mod worth;
mod write;

use std::collections::BTreeMap;

use futures::{FutureExt, future::BoxFuture};
use sqlx::PgConnection;

use crate::domain::{event::Event, ids::AccountId, recorded::RecordedEvent, subscription::SubscriptionState};

use super::{
    projection::{ApplyError, OnFailure, Projection, Tables},
    shards, subscription_reports,
};
use movements::{AccountMovements, DayMovement};
use reports::{Discounted, PaidReport, ReportPlace, TimelineReport};

pub use figures::{Figures, MovementSum, Proportion, intervals, series};
pub use paying::{PayingCursor, PayingRow, paying};
pub use queries::{
    DayChange, KindChange, MovementCursor, MovementRow, MovementSelection, ROWS_MAX, RestatementCursor,
    RestatementRow, changes_before, day_changes, movements, restatements,
};
pub use restated::{restated_balances, restated_days};
pub use retention::{IntervalMoves, RevenueRetention, interval_moves, retention};

pub struct Mrr;

impl Projection for Mrr {
    fn name(&self) -> &'static str {
        "mrr"
    }

    fn definition(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn tables(&self) -> &'static [&'static str] {
        &[
            "mrr_reports",
            "mrr_movements",
            "mrr_days",
            "mrr_months",
            "mrr_restatements",
            "mrr_restated_months",
            "mrr_payments",
            "mrr_discounts",
        ]
    }

    fn totals(&self) -> &'static str {
        include_str!("totals.sql")
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    fn apply<'a>(
        &'a self,
        events: &'a [&'a RecordedEvent],
        tables: Tables,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let mut new: BTreeMap<&AccountId, Vec<&RecordedEvent>> = BTreeMap::new();
            for recorded in events.iter().filter(|recorded| said(recorded).is_some()) {
                new.entry(&recorded.account).or_default().push(recorded);
            }
            let Some(shard) = shards::of_batch(events).filter(|_| !new.is_empty()) else { return Ok(()) };
            let accounts: Vec<&str> = new.keys().map(|account| account.as_str()).collect();
            let mut known = write::known(shard, &accounts, tables, connection).await?;
            let mut changes = Vec::with_capacity(new.len());
            for (account, events) in new {
                changes.push(account_changes(
                    account,
                    known.remove(account.as_str()).unwrap_or_default(),
                    &events,
                )?);
            }
            write::write(shard, &changes, tables, connection).await
        }
        .boxed()
    }
}

/// What is known of one account, and the movements that follow.
#[derive(Clone, Debug, Default)]
pub struct History {
    reports: Vec<TimelineReport>,
    payments: Vec<PaidReport>,
    discounted: Vec<Discounted>,
    /// `None`: not computed yet.
    movements: Option<AccountMovements>,
}

/// What one event adds.
enum MrrInput {
    Reported(TimelineReport),
    Paid(PaidReport),
    Discounted(Discounted),
}

/// What a batch of events changes for one account.
struct AccountChanges<'a> {
    account: &'a AccountId,
    /// What the batch adds.
    said: History,
    /// All of the account's movements. `None`: they are what they were.
    movements: Option<AccountMovements>,
    restatements: Vec<Restatement<'a>>,
}

/// A day that was over when an event changed it.
#[derive(Debug)]
pub struct Restatement<'a> {
    pub recorded: &'a RecordedEvent,
    pub currency: String,
    pub day: chrono::NaiveDate,
    pub before: Option<DayMovement>,
    pub after: Option<DayMovement>,
}

/// Adds one event after the other, so that restatements do not depend on how events are batched.
fn account_changes<'a>(
    account: &'a AccountId,
    mut known: History,
    events: &[&'a RecordedEvent],
) -> Result<AccountChanges<'a>, ApplyError> {
    let already = (known.reports.len(), known.payments.len(), known.discounted.len());
    let before = match events.first() {
        Some(first) => known.work_out(first)?,
        None => AccountMovements::new(),
    };
    known.movements = Some(before.clone());
    let mut restatements = Vec::new();
    for recorded in events {
        restatements.extend(known.learn(recorded)?);
    }
    let said = History {
        reports: known.reports.split_off(already.0),
        payments: known.payments.split_off(already.1),
        discounted: known.discounted.split_off(already.2),
        movements: None,
    };
    let movements = known.movements.filter(|movements| *movements != before);
    Ok(AccountChanges { account, said, movements, restatements })
}

impl History {
    /// Adds an event, and returns the days that it changes and that were over when it was recorded.
    ///
    /// # Errors
    /// If the account's revenue does not fit.
    pub fn learn<'a>(&mut self, recorded: &'a RecordedEvent) -> Result<Vec<Restatement<'a>>, ApplyError> {
        let Some(said) = said(recorded) else { return Ok(Vec::new()) };
        let before = match self.movements.take() {
            Some(movements) => movements,
            None => self.work_out(recorded)?,
        };
        match said {
            MrrInput::Reported(report) => self.reports.push(report),
            MrrInput::Paid(payment) => self.payments.push(payment),
            MrrInput::Discounted(discounted) => self.discounted.push(discounted),
        }
        let after = self.work_out(recorded)?;
        let restated = restated(recorded, &before, &after);
        self.movements = Some(after);
        Ok(restated)
    }

    /// The movements by all events that were added. `None`: there was none.
    #[must_use]
    pub const fn movements(&self) -> Option<&AccountMovements> {
        self.movements.as_ref()
    }

    fn work_out(&self, recorded: &RecordedEvent) -> Result<AccountMovements, ApplyError> {
        timeline::movements(&self.reports, &self.payments, &self.discounted).map_err(|_| ApplyError::Unfit {
            position: recorded.position.0,
            reason: "the account's subscriptions are worth more than fits".into(),
        })
    }
}

/// What an event says about revenue. `None`: nothing.
fn said(recorded: &RecordedEvent) -> Option<MrrInput> {
    let stripe_event = || recorded.stripe_event().map(str::to_owned);
    match &recorded.event {
        Event::Subscription(event) => Some(MrrInput::Reported(report(recorded, event.terms()))),
        Event::Account(event) => event.discount_report().map(|told| {
            MrrInput::Discounted(Discounted {
                told,
                sequence: recorded.sequence,
                stripe_event: stripe_event(),
            })
        }),
        Event::Invoice(event) => subscription_reports::payment(event).map(|(subscription, state)| {
            MrrInput::Paid(PaidReport {
                subscription: subscription.to_string(),
                sequence: recorded.sequence,
                state,
                effective_at: event.effective_at(),
                stripe_event: stripe_event(),
            })
        }),
        Event::Credits(_) | Event::Hold(_) | Event::Notice(_) | Event::Payment(_) | Event::Checkout(_) => {
            None
        }
    }
}

fn report(recorded: &RecordedEvent, terms: &SubscriptionState) -> TimelineReport {
    TimelineReport {
        subscription: terms.subscription.to_string(),
        sequence: recorded.sequence,
        currency: terms.monthly.currency.to_string(),
        monthly: if terms.is_revenue() { terms.monthly.minor.max(0) } else { 0 },
        undiscounted: terms.undiscounted.clone().filter(|_| terms.is_revenue()),
        effective_at: recorded.event.effective_at(),
        evidence: ReportPlace {
            ended: terms.ended_at.is_some(),
            reported_at: terms.evidence.reported_at,
            rank: terms.evidence.rank,
            id: terms.evidence.id.to_string(),
            step: terms.evidence.step.clone(),
        },
        stripe_event: recorded.stripe_event().map(str::to_owned),
    }
}

/// The days before the report was recorded whose movement it changes.
fn restated<'a>(
    recorded: &'a RecordedEvent,
    before: &AccountMovements,
    after: &AccountMovements,
) -> Vec<Restatement<'a>> {
    let recorded_on = recorded.recorded_at.to_utc().date_naive();
    let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let over = keys.into_iter().filter(|(_, day)| *day < recorded_on);
    over.filter_map(|key| {
        let (old, new) = (before.get(key), after.get(key));
        let figures = |movement: &DayMovement| (movement.kind, movement.change());
        (old.map(figures) != new.map(figures)).then(|| Restatement {
            recorded,
            currency: key.0.clone(),
            day: key.1,
            before: old.cloned(),
            after: new.cloned(),
        })
    })
    .collect()
}
