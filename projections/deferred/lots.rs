//! Which lots of credits were paid for, and what became of them?

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

use crate::{
    domain::{
        event::{CreditsEvent, Event},
        ids::GrantId,
        recorded::{RecordedEvent, Shard},
        revenue::{CreditLot, RevenueKind, RevenueSource, lot_changes},
        statement::LineKind,
    },
    projections::projection::{ApplyError, Tables},
};

use super::{
    of_account::{DeferredLot, LotColumns},
    sums::{Happened, Sums},
};

/// The lots that some events are about, by account and grant.
#[derive(Default)]
pub(super) struct KnownLots(BTreeMap<(String, String), KnownLot>);

struct KnownLot {
    lot: CreditLot,
    source: String,
    sold_at: DateTime<Utc>,
    /// Whether it has to be written.
    is_changed: bool,
}

#[derive(FromRow)]
struct LotRow {
    account_id: String,
    #[sqlx(flatten)]
    columns: LotColumns,
}

impl KnownLots {
    pub(super) async fn read(
        shard: Shard,
        events: &[&RecordedEvent],
        tables: Tables,
        connection: &mut PgConnection,
    ) -> Result<Self, ApplyError> {
        let mut wanted: BTreeSet<(&str, &str)> = BTreeSet::new();
        for recorded in events {
            let changes = lot_changes(&recorded.event).into_iter();
            wanted.extend(changes.map(|change| (recorded.account.as_str(), change.grant_id.as_str())));
        }
        if wanted.is_empty() {
            return Ok(Self::default());
        }
        let (accounts, grants): (Vec<&str>, Vec<&str>) = wanted.into_iter().unzip();
        let rows: Vec<LotRow> = sqlx::query_as(&tables.statement(include_str!("lots.sql")))
            .bind(shard.0)
            .bind(accounts)
            .bind(grants)
            .fetch_all(connection)
            .await?;
        let read = |LotRow { account_id, columns }: LotRow| {
            let DeferredLot { grant_id, source, sold_at, lot } = columns.read()?;
            Ok(((account_id, grant_id), KnownLot { lot, source, sold_at, is_changed: false }))
        };
        Ok(Self(rows.into_iter().map(read).collect::<Result<_, sqlx::Error>>()?))
    }

    /// Notes what became of lots, and of their money.
    ///
    /// # Errors
    /// If more of a lot was used than was bought.
    pub(super) fn apply<'a>(
        &mut self,
        recorded: &'a RecordedEvent,
        sums: &mut Sums<'a>,
    ) -> Result<(), ApplyError> {
        if let Event::Credits(CreditsEvent::CreditsGranted { grant, .. }) = &recorded.event
            && let Some(lot) = CreditLot::of(grant)
        {
            let happened =
                Happened { recorded, source: RevenueSource::Credits, currency: &lot.cost.currency };
            sums.happened(&happened, RevenueKind::Sold, lot.cost.minor);
            let source = LineKind::from(grant.source).name().to_owned();
            let sold_at = recorded.event.effective_at().to_utc();
            self.0
                .insert(key(recorded, &grant.grant_id), KnownLot { lot, source, sold_at, is_changed: true });
        }
        // Most events are about credits that were free.
        if self.0.is_empty() {
            return Ok(());
        }
        for change in lot_changes(&recorded.event) {
            let Some(known) = self.0.get_mut(&key(recorded, change.grant_id)) else { continue };
            let (kind, minor) = known.lot.change(change.column, change.credits);
            known.is_changed = true;
            if !known.lot.is_conserved() {
                let reason = format!("more of the grant {} is used than was bought", change.grant_id);
                return Err(ApplyError::Unfit { position: recorded.position.0, reason });
            }
            let currency = &known.lot.cost.currency;
            sums.happened(&Happened { recorded, source: RevenueSource::Credits, currency }, kind, minor);
        }
        Ok(())
    }

    pub(super) async fn write(
        &self,
        shard: Shard,
        tables: Tables,
        connection: &mut PgConnection,
    ) -> Result<(), ApplyError> {
        let changed: Vec<_> = self.0.iter().filter(|(_, known)| known.is_changed).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let column = |value: fn(&CreditLot) -> i64| -> Vec<i64> {
            changed.iter().map(|(_, known)| value(&known.lot)).collect()
        };
        sqlx::query(&tables.statement(include_str!("keep_lots.sql")))
            .bind(shard.0)
            .bind(changed.iter().map(|((account, _), _)| account.as_str()).collect::<Vec<_>>())
            .bind(changed.iter().map(|((_, grant), _)| grant.as_str()).collect::<Vec<_>>())
            .bind(changed.iter().map(|(_, known)| known.source.as_str()).collect::<Vec<_>>())
            .bind(changed.iter().map(|(_, known)| known.sold_at).collect::<Vec<_>>())
            .bind(changed.iter().map(|(_, known)| known.lot.cost.currency.as_str()).collect::<Vec<_>>())
            .bind(column(|lot| lot.cost.minor))
            .bind(column(|lot| lot.amount))
            .bind(column(|lot| lot.spent))
            .bind(column(|lot| lot.expired))
            .bind(column(|lot| lot.taken))
            .bind(column(|lot| lot.refunded))
            .bind(column(|lot| lot.used_and_refunded))
            .execute(connection)
            .await?;
        Ok(())
    }
}

fn key(recorded: &RecordedEvent, grant: &GrantId) -> (String, String) {
    (recorded.account.to_string(), grant.to_string())
}
