//! What happened to money that was paid in advance, by day, by month, and by account?

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use crate::{
    domain::{
        amount::Currency,
        ids::AccountId,
        recorded::{RecordedEvent, Shard},
        revenue::{RevenueKind, RevenueSource},
    },
    projections::{
        calendar::FigureInterval,
        projection::{ApplyError, Tables},
    },
};

/// What some events add to the tables, in the order of their keys, so that two writers cannot deadlock.
#[derive(Default)]
pub(super) struct Sums<'a> {
    days: BTreeMap<(NaiveDate, String, RevenueSource, RevenueKind), DaySum>,
    months: BTreeMap<(NaiveDate, String, RevenueSource), i128>,
    accounts: BTreeMap<(&'a AccountId, NaiveDate, String, RevenueSource, RevenueKind), i64>,
}

#[derive(Default)]
struct DaySum {
    minor: i128,
    /// When an event was last recorded that changed the day after it was over.
    restated_at: Option<DateTime<Utc>>,
}

/// The event by which something happened, and to money of what.
pub(super) struct Happened<'a, 'b> {
    pub recorded: &'a RecordedEvent,
    pub source: RevenueSource,
    pub currency: &'b Currency,
}

impl<'a> Sums<'a> {
    /// Something happened when the event took effect.
    pub(super) fn happened(&mut self, happened: &Happened<'a, '_>, kind: RevenueKind, minor: i64) {
        let day = happened.recorded.event.effective_at().to_utc().date_naive();
        self.happened_on(day, happened, kind, minor);
    }

    pub(super) fn happened_on(
        &mut self,
        day: NaiveDate,
        happened: &Happened<'a, '_>,
        kind: RevenueKind,
        minor: i64,
    ) {
        if minor == 0 {
            return;
        }
        self.add(day, happened, kind, minor);
        let (account, currency) = (&happened.recorded.account, happened.currency.to_string());
        let sum = self.accounts.entry((account, day, currency, happened.source, kind)).or_default();
        *sum = sum.saturating_add(minor);
    }

    /// What is earned evenly: the account's spans say so, too.
    pub(super) fn earned_on(&mut self, day: NaiveDate, happened: &Happened<'a, '_>, minor: i64) {
        if minor != 0 {
            self.add(day, happened, RevenueKind::Recognised, minor);
        }
    }

    fn add(&mut self, day: NaiveDate, happened: &Happened<'a, '_>, kind: RevenueKind, minor: i64) {
        let currency = happened.currency.to_string();
        let sum = self.days.entry((day, currency.clone(), happened.source, kind)).or_default();
        sum.minor = sum.minor.saturating_add(i128::from(minor));
        let recorded_at = happened.recorded.recorded_at.to_utc();
        sum.restated_at = sum.restated_at.max((recorded_at.date_naive() > day).then_some(recorded_at));
        let month =
            self.months.entry((FigureInterval::Month.first_day(day), currency, happened.source)).or_default();
        *month = month.saturating_add(i128::from(kind.deferred(minor)));
    }

    pub(super) async fn write(
        &self,
        shard: Shard,
        tables: Tables,
        connection: &mut PgConnection,
    ) -> Result<(), ApplyError> {
        self.write_days(shard, tables, connection).await?;
        self.write_months(shard, tables, connection).await?;
        self.write_accounts(shard, tables, connection).await
    }

    /// Sums may be larger than a number of Postgres' `bigint`, so they are written as texts.
    async fn write_days(
        &self,
        shard: Shard,
        tables: Tables,
        connection: &mut PgConnection,
    ) -> Result<(), ApplyError> {
        if self.days.is_empty() {
            return Ok(());
        }
        let keys = || self.days.keys();
        let deferred = self.days.iter().map(|((.., kind), sum)| {
            let sign = i128::from(kind.deferred(1));
            sum.minor.saturating_mul(sign).to_string()
        });
        sqlx::query(&tables.statement(include_str!("add_days.sql")))
            .bind(shard.0)
            .bind(keys().map(|(day, ..)| *day).collect::<Vec<_>>())
            .bind(keys().map(|(_, currency, ..)| currency.as_str()).collect::<Vec<_>>())
            .bind(keys().map(|(_, _, source, _)| source.name()).collect::<Vec<_>>())
            .bind(keys().map(|(.., kind)| kind.name()).collect::<Vec<_>>())
            .bind(self.days.values().map(|sum| sum.minor.to_string()).collect::<Vec<_>>())
            .bind(deferred.collect::<Vec<_>>())
            .bind(self.days.values().map(|sum| sum.restated_at).collect::<Vec<_>>())
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn write_months(
        &self,
        shard: Shard,
        tables: Tables,
        connection: &mut PgConnection,
    ) -> Result<(), ApplyError> {
        if self.months.is_empty() {
            return Ok(());
        }
        let keys = || self.months.keys();
        sqlx::query(&tables.statement(include_str!("add_months.sql")))
            .bind(shard.0)
            .bind(keys().map(|(month, ..)| *month).collect::<Vec<_>>())
            .bind(keys().map(|(_, currency, _)| currency.as_str()).collect::<Vec<_>>())
            .bind(keys().map(|(.., source)| source.name()).collect::<Vec<_>>())
            .bind(self.months.values().map(i128::to_string).collect::<Vec<_>>())
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn write_accounts(
        &self,
        shard: Shard,
        tables: Tables,
        connection: &mut PgConnection,
    ) -> Result<(), ApplyError> {
        if self.accounts.is_empty() {
            return Ok(());
        }
        let keys = || self.accounts.keys();
        let deferred = self.accounts.iter().map(|((.., kind), minor)| kind.deferred(*minor));
        sqlx::query(&tables.statement(include_str!("add_accounts.sql")))
            .bind(shard.0)
            .bind(keys().map(|(account, ..)| account.as_str()).collect::<Vec<_>>())
            .bind(keys().map(|(_, day, ..)| *day).collect::<Vec<_>>())
            .bind(keys().map(|(_, _, currency, ..)| currency.as_str()).collect::<Vec<_>>())
            .bind(keys().map(|(_, _, _, source, _)| source.name()).collect::<Vec<_>>())
            .bind(keys().map(|(.., kind)| kind.name()).collect::<Vec<_>>())
            .bind(self.accounts.values().copied().collect::<Vec<_>>())
            .bind(deferred.collect::<Vec<_>>())
            .execute(connection)
            .await?;
        Ok(())
    }
}
