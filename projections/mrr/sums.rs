//! What do all movements sum to, by day and by month? Counted as movements come and go.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, PgConnection};

use crate::{
    domain::recorded::Shard,
    projections::{
        calendar::FigureInterval,
        projection::{ApplyError, Tables},
    },
};

use super::{AccountChanges, Restatement, movements::AccountMovements};

/// A movement that was deleted.
#[derive(FromRow)]
pub(super) struct ForgottenMovement {
    currency: String,
    day: NaiveDate,
    kind: String,
    before: i64,
    after: i64,
}

/// The sum of movements that come, without those that go.
#[derive(Clone, Copy, Default)]
struct SumChange {
    change: i128,
    count: i64,
}

impl SumChange {
    fn add(&mut self, change: i128, count: i64) {
        self.change = self.change.saturating_add(change);
        self.count = self.count.saturating_add(count);
    }

    const fn is_nothing(&self) -> bool {
        self.change == 0 && self.count == 0
    }
}

/// By day or month, currency and kind: in the order of their keys, so that two writers cannot deadlock.
type SumChanges = BTreeMap<(NaiveDate, String, String), SumChange>;

/// By how much the sums change.
#[derive(Default)]
pub(super) struct MovementSums {
    days: SumChanges,
    months: SumChanges,
}

/// How sums of one length of time are written.
struct SumStatements {
    add: &'static str,
    forget: &'static str,
}

const DAYS: SumStatements =
    SumStatements { add: include_str!("add_days.sql"), forget: include_str!("forget_days.sql") };
const MONTHS: SumStatements =
    SumStatements { add: include_str!("add_months.sql"), forget: include_str!("forget_months.sql") };

/// The first day of the month.
pub(super) fn month(day: NaiveDate) -> NaiveDate {
    FigureInterval::Month.first_day(day)
}

impl MovementSums {
    /// Takes away what an account's movements were.
    pub(super) fn forget(&mut self, movements: Vec<ForgottenMovement>) {
        for ForgottenMovement { currency, day, kind, before, after } in movements {
            self.add((day, currency, kind), i128::from(before).saturating_sub(i128::from(after)), -1);
        }
    }

    /// Adds what they are.
    pub(super) fn learn(&mut self, movements: &AccountMovements) {
        for ((currency, day), movement) in movements {
            let key = (*day, currency.clone(), movement.kind.name().to_owned());
            self.add(key, i128::from(movement.change()), 1);
        }
    }

    fn add(&mut self, (day, currency, kind): (NaiveDate, String, String), change: i128, count: i64) {
        let of_month = (month(day), currency.clone(), kind.clone());
        self.days.entry((day, currency, kind)).or_default().add(change, count);
        self.months.entry(of_month).or_default().add(change, count);
    }

    pub(super) async fn write(
        &self,
        shard: Shard,
        tables: Tables,
        connection: &mut PgConnection,
    ) -> Result<(), ApplyError> {
        add(&self.days, &DAYS, shard, tables, connection).await?;
        add(&self.months, &MONTHS, shard, tables, connection).await
    }
}

/// Sums may be larger than a number of Postgres' `bigint`, so they are written as texts.
async fn add(
    sums: &SumChanges,
    statements: &SumStatements,
    shard: Shard,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), ApplyError> {
    let changed: Vec<_> = sums.iter().filter(|(_, sum)| !sum.is_nothing()).collect();
    if changed.is_empty() {
        return Ok(());
    }
    sqlx::query(&tables.statement(statements.add))
        .bind(shard.0)
        .bind(changed.iter().map(|((day, _, _), _)| *day).collect::<Vec<_>>())
        .bind(changed.iter().map(|((_, currency, _), _)| currency.as_str()).collect::<Vec<_>>())
        .bind(changed.iter().map(|((_, _, kind), _)| kind.as_str()).collect::<Vec<_>>())
        .bind(changed.iter().map(|(_, sum)| sum.change.to_string()).collect::<Vec<_>>())
        .bind(changed.iter().map(|(_, sum)| sum.count).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    // A rebuild, which takes other steps, must come to the same rows.
    if changed.iter().any(|(_, sum)| sum.count < 0) {
        sqlx::query(&tables.statement(statements.forget)).bind(shard.0).execute(connection).await?;
    }
    Ok(())
}

/// Says of each month when one of its days was last restated.
pub(super) async fn restate(
    shard: Shard,
    changes: &[AccountChanges<'_>],
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), ApplyError> {
    let mut months: BTreeMap<(NaiveDate, &str), DateTime<Utc>> = BTreeMap::new();
    for Restatement { recorded, currency, day, .. } in changes.iter().flat_map(|of| &of.restatements) {
        let at = recorded.recorded_at.to_utc();
        let known = months.entry((month(*day), currency)).or_insert(at);
        *known = at.max(*known);
    }
    if months.is_empty() {
        return Ok(());
    }
    sqlx::query(&tables.statement(include_str!("add_restated_months.sql")))
        .bind(shard.0)
        .bind(months.keys().map(|(month, _)| *month).collect::<Vec<_>>())
        .bind(months.keys().map(|(_, currency)| *currency).collect::<Vec<_>>())
        .bind(months.values().copied().collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
