//! How do the credits of all accounts come and go, and how many are there?
//!
//! What each event changes is counted in the words of a statement, by quarter of an hour and by day.
//! So the credits at the end of some days are those at their start with all that came and went, exactly.
//! An event that is recorded after its day is over changes that day, which then says when.

mod queries;
mod spans;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use futures::{FutureExt, future::BoxFuture};
use sqlx::PgConnection;

use crate::domain::{
    event::Event,
    ids::{AccountId, GenerationType},
    recorded::{RecordedEvent, Shard},
    statement::{CreditChange, LineKind, credit_changes},
    time::Timestamp,
};

use super::{
    calendar::{FigureInterval, quarter_of_an_hour},
    projection::{ApplyError, Projection, Tables},
    shards, usage,
};

pub use queries::{
    CreditCell, CreditFlow, CreditRow, CreditStock, flows, restated_since, rows, stock_before,
};
pub use spans::Spans;

pub struct CreditsProjection;

impl Projection for CreditsProjection {
    fn name(&self) -> &'static str {
        "credits"
    }

    fn definition(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn tables(&self) -> &'static [&'static str] {
        &["credits_quarters", "credits_days", "credits_months", "credits_accounts"]
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
            Sums::of(events).write(shard, tables, connection).await
        }
        .boxed()
    }
}

/// How much came and went. Amounts are signed.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    count: i64,
    available: i128,
    held: i128,
    debt: i128,
}

impl Flow {
    fn of(change: &CreditChange<'_>) -> Self {
        Self {
            count: 1,
            available: i128::from(change.available),
            held: i128::from(change.held),
            debt: i128::from(change.debt),
        }
    }

    fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.available = self.available.saturating_add(other.available);
        self.held = self.held.saturating_add(other.held);
        self.debt = self.debt.saturating_add(other.debt);
    }
}

/// How much came and went on one day.
#[derive(Default)]
struct DayFlow {
    flow: Flow,
    /// When an event was last recorded that changed the day after it was over.
    restated_at: Option<DateTime<Utc>>,
}

/// What happened, and to credits of which type of generation. Empty for what is of none.
type What<'a> = (&'static str, &'a str);

/// What some events add to the tables, in the order of their keys, so that two writers cannot deadlock.
#[derive(Default)]
struct Sums<'a> {
    quarters: BTreeMap<(DateTime<Utc>, What<'a>), Flow>,
    days: BTreeMap<(NaiveDate, What<'a>), DayFlow>,
    months: BTreeMap<NaiveDate, Flow>,
    accounts: BTreeMap<(&'a AccountId, DateTime<Utc>, What<'a>), Flow>,
}

impl<'a> Sums<'a> {
    fn of(events: &'a [&'a RecordedEvent]) -> Self {
        let mut sums = Self::default();
        for recorded in events {
            for change in credit_changes(&recorded.event).into_iter().flatten() {
                if counts(&recorded.event, &change) {
                    sums.add(recorded, &change);
                }
            }
        }
        sums
    }

    fn add(&mut self, recorded: &'a RecordedEvent, change: &CreditChange<'a>) {
        let flow = Flow::of(change);
        let what = (change.kind.name(), change.generation_type().map_or("", GenerationType::as_str));
        let at = change.effective_at.unwrap_or_else(|| recorded.event.effective_at());
        let (quarter, day) = (quarter_of_an_hour(at), at.to_utc().date_naive());
        self.quarters.entry((quarter, what)).or_default().add(flow);
        let of_day = self.days.entry((day, what)).or_default();
        of_day.flow.add(flow);
        of_day.restated_at = of_day.restated_at.max(restated(day, recorded.recorded_at));
        self.months.entry(FigureInterval::Month.first_day(day)).or_default().add(flow);
        if change.kind != LineKind::Usage {
            self.accounts.entry((&recorded.account, quarter, what)).or_default().add(flow);
        }
    }

    async fn write(
        &self,
        shard: Shard,
        tables: Tables,
        connection: &mut PgConnection,
    ) -> Result<(), ApplyError> {
        if self.quarters.is_empty() {
            return Ok(());
        }
        let quarters = Columns::of(self.quarters.iter().map(|((_, what), flow)| (*what, flow)));
        sqlx::query(&tables.statement(include_str!("add_quarters.sql")))
            .bind(shard.0)
            .bind(self.quarters.keys().map(|(quarter, _)| *quarter).collect::<Vec<_>>())
            .bind(&quarters.kinds)
            .bind(&quarters.types)
            .bind(&quarters.counts)
            .bind(&quarters.available)
            .bind(&quarters.held)
            .bind(&quarters.debt)
            .execute(&mut *connection)
            .await?;
        let days = Columns::of(self.days.iter().map(|((_, what), day)| (*what, &day.flow)));
        sqlx::query(&tables.statement(include_str!("add_days.sql")))
            .bind(shard.0)
            .bind(self.days.keys().map(|(day, _)| *day).collect::<Vec<_>>())
            .bind(&days.kinds)
            .bind(&days.types)
            .bind(&days.counts)
            .bind(&days.available)
            .bind(&days.held)
            .bind(&days.debt)
            .bind(self.days.values().map(|day| day.restated_at).collect::<Vec<_>>())
            .execute(&mut *connection)
            .await?;
        let months = Columns::of(self.months.values().map(|flow| (("", ""), flow)));
        sqlx::query(&tables.statement(include_str!("add_months.sql")))
            .bind(shard.0)
            .bind(self.months.keys().copied().collect::<Vec<_>>())
            .bind(&months.available)
            .bind(&months.held)
            .bind(&months.debt)
            .execute(&mut *connection)
            .await?;
        if self.accounts.is_empty() {
            return Ok(());
        }
        let accounts = Columns::of(self.accounts.iter().map(|((_, _, what), flow)| (*what, flow)));
        sqlx::query(&tables.statement(include_str!("add_accounts.sql")))
            .bind(shard.0)
            .bind(self.accounts.keys().map(|(account, _, _)| account.as_str()).collect::<Vec<_>>())
            .bind(self.accounts.keys().map(|(_, quarter, _)| *quarter).collect::<Vec<_>>())
            .bind(&accounts.kinds)
            .bind(&accounts.types)
            .bind(&accounts.counts)
            .bind(&accounts.available)
            .bind(&accounts.held)
            .bind(&accounts.debt)
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// What is written, by column. Sums may be larger than a number of Postgres' `bigint`, so they are written as texts.
#[derive(Default)]
struct Columns<'a> {
    kinds: Vec<&'static str>,
    types: Vec<&'a str>,
    counts: Vec<i64>,
    available: Vec<String>,
    held: Vec<String>,
    debt: Vec<String>,
}

impl<'a> Columns<'a> {
    fn of<'b>(flows: impl Iterator<Item = (What<'a>, &'b Flow)>) -> Self {
        let mut columns = Self::default();
        for ((kind, generation_type), flow) in flows {
            columns.kinds.push(kind);
            columns.types.push(generation_type);
            columns.counts.push(flow.count);
            columns.available.push(flow.available.to_string());
            columns.held.push(flow.held.to_string());
            columns.debt.push(flow.debt.to_string());
        }
        columns
    }
}

/// Whether a change is one of the figures: whatever moves credits or debt, and each use, also a free one.
fn counts(event: &Event, change: &CreditChange<'_>) -> bool {
    match change.kind {
        LineKind::Usage => usage::is_use(event),
        LineKind::Allocation
        | LineKind::Rollover
        | LineKind::Signup
        | LineKind::TopUp
        | LineKind::Bonus
        | LineKind::Refund
        | LineKind::Adjustment
        | LineKind::Expiry
        | LineKind::ExpiryReversed
        | LineKind::Clawback
        | LineKind::ClawbackReversed
        | LineKind::Freeze
        | LineKind::Unfreeze
        | LineKind::Hold
        | LineKind::HoldReturned
        | LineKind::DebtMovedIn
        | LineKind::DebtPaid
        | LineKind::DebtForgiven => (change.available, change.held, change.debt) != (0, 0, 0),
    }
}

/// When the day was changed after it was over. `None`: it was not over yet.
fn restated(day: NaiveDate, recorded_at: Timestamp) -> Option<DateTime<Utc>> {
    let recorded_at = recorded_at.to_utc();
    (recorded_at.date_naive() > day).then_some(recorded_at)
}
