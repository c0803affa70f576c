//! Which accounts will change next because time passes?
//!
//! The rows are hints for the scheduler: at `due_at` something of the account ends or begins, such as a grant, a hold
//! or a month of a paid period.
//! What that is, follows from the account's own state.
//! The scheduler deletes a hint when it has applied what was due.
//! A superfluous hint, such as one of a committed hold or after a rebuild, does no harm, so hints are not deleted when
//! their deadline no longer applies.

use chrono::{DateTime, Utc};
use futures::{FutureExt, future::BoxFuture};
use sqlx::{FromRow, PgConnection, PgPool};

use crate::domain::{
    event::{CreditsEvent, Event, HoldEvent, InvoiceEvent, SubscriptionEvent},
    ids::AccountId,
    invoice::PaidLine,
    months::months_between,
    recorded::{RecordedEvent, Shard},
    subscription::Term,
    time::Timestamp,
};

use super::{
    projection::{ApplyError, Projection, Tables},
    shards,
};

/// For how many months of a term there are hints at most.
const MONTHS_MAX: u32 = 120;

pub struct Deadlines;

impl Projection for Deadlines {
    fn name(&self) -> &'static str {
        "deadlines"
    }

    fn definition(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn tables(&self) -> &'static [&'static str] {
        &["deadlines"]
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
            let mut due: Vec<(Timestamp, &str)> = Vec::new();
            for recorded in events {
                due.extend(deadlines(&recorded.event).into_iter().map(|at| (at, recorded.account.as_str())));
            }
            due.sort_unstable();
            due.dedup();
            let Some(shard) = shards::of_batch(events).filter(|_| !due.is_empty()) else { return Ok(()) };
            sqlx::query(&tables.statement(include_str!("add.sql")))
                .bind(shard.0)
                .bind(due.iter().map(|(_, account)| *account).collect::<Vec<_>>())
                .bind(due.iter().map(|(at, _)| at.to_utc()).collect::<Vec<_>>())
                .execute(connection)
                .await?;
            Ok(())
        }
        .boxed()
    }
}

fn deadlines(event: &Event) -> Vec<Timestamp> {
    match event {
        Event::Credits(CreditsEvent::CreditsGranted { grant, .. }) => grant.expires_at.into_iter().collect(),
        Event::Hold(
            HoldEvent::CreditsHeld { expires_at, .. }
            | HoldEvent::HoldExtended { expires_at, .. }
            | HoldEvent::HoldToppedUp { expires_at, .. },
        ) => vec![*expires_at],
        Event::Invoice(InvoiceEvent::PeriodPaid { term, .. }) => months(term),
        Event::Invoice(InvoiceEvent::InvoicePaid { invoice, .. }) => {
            invoice.lines.iter().flat_map(line_months).collect()
        }
        Event::Credits(CreditsEvent::GrantEndMoved { ends_at, .. }) => vec![*ends_at],
        // The plan ends with the days of grace, and a month of the free plan may begin.
        Event::Subscription(SubscriptionEvent::SubscriptionPastDue { terms, .. }) => {
            terms.grace_end().into_iter().collect()
        }
        Event::Account(_)
        | Event::Credits(
            CreditsEvent::CreditsDeducted { .. }
            | CreditsEvent::CreditsRefunded { .. }
            | CreditsEvent::CreditsExpired { .. }
            | CreditsEvent::CreditsAdjusted { .. }
            | CreditsEvent::CreditsClawedBack { .. }
            | CreditsEvent::CreditsRestored { .. }
            | CreditsEvent::GrantFrozen { .. }
            | CreditsEvent::GrantUnfrozen { .. }
            | CreditsEvent::DebtPaid { .. }
            | CreditsEvent::DebtForgiven { .. },
        )
        | Event::Invoice(InvoiceEvent::InvoiceUnpaid { .. })
        | Event::Hold(
            HoldEvent::HoldSpent { .. }
            | HoldEvent::HoldReduced { .. }
            | HoldEvent::HoldCommitted { .. }
            | HoldEvent::HoldReleased { .. }
            | HoldEvent::HoldExpired { .. },
        )
        | Event::Subscription(
            SubscriptionEvent::TrialStarted { .. }
            | SubscriptionEvent::SubscriptionStarted { .. }
            | SubscriptionEvent::SubscriptionRenewed { .. }
            | SubscriptionEvent::PlanChanged { .. }
            | SubscriptionEvent::PlanChangeScheduled { .. }
            | SubscriptionEvent::RevenueChanged { .. }
            | SubscriptionEvent::SubscriptionMoved { .. }
            | SubscriptionEvent::SubscriptionRecovered { .. }
            | SubscriptionEvent::SubscriptionPaused { .. }
            | SubscriptionEvent::SubscriptionResumed { .. }
            | SubscriptionEvent::CancellationScheduled { .. }
            | SubscriptionEvent::CancellationWithdrawn { .. }
            | SubscriptionEvent::SubscriptionEnded { .. },
        )
        | Event::Notice(_)
        | Event::Payment(_)
        | Event::Checkout(_) => Vec::new(),
    }
}

/// When each month of the term begins, including the first, since its payment may be known before it begins.
fn months(term: &Term) -> Vec<Timestamp> {
    (0..MONTHS_MAX).map_while(|number| term.month(number)).map(|month| month.start).collect()
}

/// When each month of the line may begin. Months are counted from its start, or back from its end.
fn line_months(line: &PaidLine) -> Vec<Timestamp> {
    let number = months_between(line.period.start, line.period.end).min(MONTHS_MAX);
    let forward = (0..number).map(|month| line.period.start.plus_months(month));
    let back = (1..=number).map(|month| line.period.end.minus_months(month));
    forward.chain(back).filter(|at| line.period.contains(*at)).collect()
}

/// An account with something due.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DueAccount {
    shard: i16,
    pub account_id: String,
    /// The latest of its deadlines that have passed.
    pub due_at: DateTime<Utc>,
}

impl DueAccount {
    #[must_use]
    pub const fn shard(&self) -> Shard {
        Shard(self.shard)
    }
}

/// Accounts with a deadline at `at` or earlier, those that have waited longest first; about `limit` of them.
///
/// # Errors
/// If the database does not answer.
pub async fn due(
    pool: &PgPool,
    shards: &[Shard],
    at: Timestamp,
    limit: i64,
) -> Result<Vec<DueAccount>, sqlx::Error> {
    let shards: Vec<i16> = shards.iter().map(|shard| shard.0).collect();
    let query = sqlx::query_as(include_str!("due.sql")).bind(at.to_utc()).bind(limit).bind(shards);
    query.fetch_all(pool).await
}

/// The tables that readers see.
///
/// # Errors
/// If the database does not answer.
pub async fn live_tables(pool: &PgPool) -> Result<Tables, sqlx::Error> {
    let version = sqlx::query_scalar(include_str!("live_version.sql")).fetch_one(pool).await?;
    Ok(Tables { version })
}

/// Deletes the account's deadlines until `at` from these tables, after what was due has been applied.
///
/// The table is named, since rows that are on several nodes cannot be deleted through a view.
///
/// # Errors
/// If the database does not answer, or the tables were dropped after a rebuild.
pub async fn done(
    pool: &PgPool,
    tables: Tables,
    shard: Shard,
    account: &AccountId,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(&tables.statement(include_str!("done.sql")))
        .bind(shard.0)
        .bind(account.as_str())
        .bind(at.to_utc())
        .execute(pool)
        .await?;
    Ok(())
}
