//! What is known of the money of subscriptions, and what follows from it?

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use sqlx::{FromRow, PgConnection};

use crate::{
    domain::{
        amount::Currency,
        event::Event,
        ids::AccountId,
        recorded::{RecordedEvent, Shard},
        revenue::{
            EarningSpan, RevenueKind, RevenueSource, SubscriptionRevenue, is_revenue_fact,
            subscription_revenue,
        },
    },
    projections::{
        projection::{ApplyError, Tables},
        rows::Rows,
    },
};

use super::sums::{Happened, Sums};

/// What is known of the accounts that some events are about.
#[derive(Default)]
pub(super) struct KnownFacts<'a>(BTreeMap<&'a AccountId, AccountFacts<'a>>);

#[derive(Default)]
struct AccountFacts<'a> {
    known: Vec<Event>,
    new: Vec<&'a RecordedEvent>,
    /// What follows from all of them. `None`: not computed yet.
    revenue: Option<SubscriptionRevenue>,
}

#[derive(FromRow)]
struct KnownEventRow {
    account_id: String,
    event: String,
}

/// What is earned evenly on a day, in a currency.
type Earned = BTreeMap<(NaiveDate, Currency), i64>;

impl<'a> KnownFacts<'a> {
    pub(super) async fn read(
        shard: Shard,
        events: &[&'a RecordedEvent],
        tables: Tables,
        connection: &mut PgConnection,
    ) -> Result<Self, ApplyError> {
        let said = events.iter().filter(|recorded| is_revenue_fact(&recorded.event));
        let accounts: BTreeSet<&AccountId> = said.map(|recorded| &recorded.account).collect();
        if accounts.is_empty() {
            return Ok(Self::default());
        }
        let names: Vec<&str> = accounts.iter().map(|account| account.as_str()).collect();
        let rows: Vec<KnownEventRow> = sqlx::query_as(&tables.statement(include_str!("facts.sql")))
            .bind(shard.0)
            .bind(names)
            .fetch_all(connection)
            .await?;
        let mut stored: BTreeMap<String, Vec<Event>> = BTreeMap::new();
        for row in rows {
            let event = serde_json::from_str(&row.event);
            let event = event.map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            stored.entry(row.account_id).or_default().push(event);
        }
        let of_account = |account: &'a AccountId| {
            let known = stored.remove(account.as_str()).unwrap_or_default();
            (account, AccountFacts { known, ..AccountFacts::default() })
        };
        Ok(Self(accounts.into_iter().map(of_account).collect()))
    }

    /// Adds an event, and what it changes: one after the other, so that restatements do not depend on how events are
    /// batched.
    pub(super) fn apply(&mut self, recorded: &'a RecordedEvent, sums: &mut Sums<'a>) {
        if !is_revenue_fact(&recorded.event) {
            return;
        }
        let Some(account) = self.0.get_mut(&recorded.account) else { return };
        let before = account.revenue.take().unwrap_or_else(|| account.follows());
        account.new.push(recorded);
        let after = account.follows();
        note_at_once(recorded, &before, &after, sums);
        note_earned(recorded, &before, &after, sums);
        account.revenue = Some(after);
    }

    pub(super) async fn write(
        &self,
        shard: Shard,
        tables: Tables,
        connection: &mut PgConnection,
    ) -> Result<(), ApplyError> {
        let (mut facts, mut spans) = (Rows::new(4), Rows::new(9));
        // One by one: for a list of accounts, a database without statistics would go through all spans of the shard.
        let forget = tables.statement(include_str!("forget_spans.sql"));
        for (account, told) in &self.0 {
            sqlx::query(&forget).bind(shard.0).bind(account.as_str()).execute(&mut *connection).await?;
            for recorded in &told.new {
                let event = serde_json::to_string(&recorded.event);
                let event = event.map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
                facts.begin().small(shard.0).text(account.as_str()).big(recorded.sequence).text(&event);
            }
            let all = told.revenue.iter().flat_map(|revenue| &revenue.spans);
            for (number, span) in (0..).zip(all) {
                spans
                    .begin()
                    .small(shard.0)
                    .text(account.as_str())
                    .whole(number)
                    .text(span.currency.as_str())
                    .big(span.minor)
                    .time(span.period.start)
                    .time(span.period.end)
                    .time(span.since)
                    .time(span.until);
            }
        }
        facts.write(&tables.statement(include_str!("add_facts.sql")), connection).await?;
        spans.write(&tables.statement(include_str!("add_spans.sql")), connection).await?;
        Ok(())
    }
}

impl AccountFacts<'_> {
    fn follows(&self) -> SubscriptionRevenue {
        subscription_revenue(self.known.iter().chain(self.new.iter().map(|recorded| &recorded.event)))
    }
}

fn note_at_once<'a>(
    recorded: &'a RecordedEvent,
    before: &SubscriptionRevenue,
    after: &SubscriptionRevenue,
    sums: &mut Sums<'a>,
) {
    let keys: BTreeSet<&(NaiveDate, Currency, RevenueKind)> =
        before.at_once.keys().chain(after.at_once.keys()).collect();
    for key in keys {
        let of = |revenue: &SubscriptionRevenue| revenue.at_once.get(key).copied().unwrap_or_default();
        let change = of(after).saturating_sub(of(before));
        let (day, currency, kind) = key;
        let happened = Happened { recorded, source: RevenueSource::Subscriptions, currency };
        sums.happened_on(*day, &happened, *kind, change);
    }
}

fn note_earned<'a>(
    recorded: &'a RecordedEvent,
    before: &SubscriptionRevenue,
    after: &SubscriptionRevenue,
    sums: &mut Sums<'a>,
) {
    let mut changes = Earned::new();
    for (revenue, other, sign) in [(before, after, -1), (after, before, 1)] {
        // What is the same before and after changes nothing.
        for span in revenue.spans.iter().filter(|span| !other.spans.contains(span)) {
            add(&mut changes, span, sign);
        }
    }
    for ((day, currency), minor) in &changes {
        let happened = Happened { recorded, source: RevenueSource::Subscriptions, currency };
        sums.earned_on(*day, &happened, *minor);
    }
}

fn add(earned: &mut Earned, span: &EarningSpan, sign: i64) {
    for (day, minor) in span.days() {
        let sum = earned.entry((day, span.currency.clone())).or_default();
        *sum = sum.saturating_add(minor.saturating_mul(sign));
    }
}
