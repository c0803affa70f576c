//! How much money was paid in advance and is not earned yet, and when is it earned?
//!
//! Credits that were bought are earned when they are used: each lot is kept with what became of it.
//! Subscriptions are earned with their time: all facts about their money are kept, and when one is added, all that
//! follows for the account is computed again, so that the figures do not depend on the order in which webhooks arrive.
//! An event that is recorded after its day is over changes that day, which then says when.

mod facts;
mod lots;
mod of_account;
mod queries;
mod sums;

use futures::{FutureExt, future::BoxFuture};
use sqlx::PgConnection;

use crate::domain::recorded::RecordedEvent;

use super::{
    projection::{ApplyError, OnFailure, Projection, Tables},
    shards,
};
use facts::KnownFacts;
use lots::KnownLots;
use sums::Sums;

pub use of_account::{DeferredLot, EarningSpanRow, lots, spans};
pub use queries::{
    DeferredCell, DeferredFlow, DeferredRow, DeferredStock, RevenueFilter, flows, restated_since, rows,
    stock_before,
};

pub struct DeferredProjection;

impl Projection for DeferredProjection {
    fn name(&self) -> &'static str {
        "deferred"
    }

    fn definition(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn tables(&self) -> &'static [&'static str] {
        &[
            "deferred_lots",
            "deferred_facts",
            "deferred_spans",
            "deferred_days",
            "deferred_months",
            "deferred_accounts",
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
            let Some(shard) = shards::of_batch(events) else { return Ok(()) };
            let mut lots = KnownLots::read(shard, events, tables, connection).await?;
            let mut facts = KnownFacts::read(shard, events, tables, connection).await?;
            let mut sums = Sums::default();
            for recorded in events {
                lots.apply(recorded, &mut sums)?;
                facts.apply(recorded, &mut sums);
            }
            lots.write(shard, tables, connection).await?;
            facts.write(shard, tables, connection).await?;
            sums.write(shard, tables, connection).await
        }
        .boxed()
    }
}
