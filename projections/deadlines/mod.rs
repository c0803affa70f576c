//! Which accounts does the clock change next?
//!
//! Hints for the scheduler: at `due_at` something of the account ends or begins – a grant, a hold, a month of a
//! paid period. The account's own state says what. The scheduler deletes a hint once it has moved the account
//! past it; one too many (a hold that was committed meanwhile, or hints that a rebuild brings back) does no
//! harm, so nothing is deleted when a deadline falls away.

use chrono::{DateTime, Utc};
use futures::{FutureExt, future::BoxFuture};
use sqlx::{FromRow, PgConnection, PgPool};

use crate::domain::{
    event::Event, ids::AccountId, invoice::PaidLine, months::months_between, subscription::Term,
    time::Timestamp,
};

use super::{
    fact::Fact,
    projection::{ApplyError, Projection, Tables},
};

/// The longest term in months that hints are made for.
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
        facts: &'a [Fact<'a>],
        tables: Tables,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let mut due: Vec<(Timestamp, &str)> = Vec::new();
            for fact in facts {
                due.extend(deadlines(fact.event).into_iter().map(|at| (at, fact.account.as_str())));
            }
            due.sort_unstable();
            due.dedup();
            if due.is_empty() {
                return Ok(());
            }
            sqlx::query(&tables.statement(include_str!("add.sql")))
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
        Event::CreditsGranted { grant, .. } => grant.expires_at.into_iter().collect(),
        Event::CreditsHeld { expires_at, .. } | Event::HoldExtended { expires_at, .. } => vec![*expires_at],
        Event::PeriodPaid { term, .. } => months(term),
        Event::InvoicePaid { invoice, .. } => invoice.lines.iter().flat_map(line_months).collect(),
        Event::GrantEndMoved { ends_at, .. } => vec![*ends_at],
        // The plan ends with the grace, and a free plan's month may begin.
        Event::SubscriptionPastDue { terms, .. } => terms.grace_end().into_iter().collect(),
        Event::AccountOpened { .. }
        | Event::CustomerLinked { .. }
        | Event::CustomerUnlinked { .. }
        | Event::CustomerDiscounted { .. }
        | Event::CustomerDiscountEnded { .. }
        | Event::AccountMetadataSet { .. }
        | Event::AccountClosed { .. }
        | Event::CreditsDeducted { .. }
        | Event::CreditsRefunded { .. }
        | Event::CreditsExpired { .. }
        | Event::CreditsAdjusted { .. }
        | Event::CreditsClawedBack { .. }
        | Event::CreditsRestored { .. }
        | Event::GrantFrozen { .. }
        | Event::GrantUnfrozen { .. }
        | Event::DebtPaid { .. }
        | Event::DebtForgiven { .. }
        | Event::InvoiceUnpaid { .. }
        | Event::HoldCommitted { .. }
        | Event::HoldReleased { .. }
        | Event::HoldExpired { .. }
        | Event::TrialStarted { .. }
        | Event::TrialEndAnnounced { .. }
        | Event::SubscriptionChangeRequested { .. }
        | Event::SubscriptionStarted { .. }
        | Event::SubscriptionRenewed { .. }
        | Event::PlanChanged { .. }
        | Event::PlanChangeScheduled { .. }
        | Event::RevenueChanged { .. }
        | Event::SubscriptionMoved { .. }
        | Event::SubscriptionRecovered { .. }
        | Event::SubscriptionPaused { .. }
        | Event::SubscriptionResumed { .. }
        | Event::CancellationScheduled { .. }
        | Event::CancellationWithdrawn { .. }
        | Event::SubscriptionEnded { .. }
        | Event::PaymentSucceeded { .. }
        | Event::PaymentFailed { .. }
        | Event::PaymentActionRequired { .. }
        | Event::PaymentRefunded { .. }
        | Event::PaymentLinked { .. }
        | Event::RefundIssued { .. }
        | Event::RefundFailed { .. }
        | Event::CreditNoteIssued { .. }
        | Event::CreditNoteVoided { .. }
        | Event::DisputeOpened { .. }
        | Event::DisputeClosed { .. }
        | Event::CheckoutStarted { .. }
        | Event::CheckoutCompleted { .. }
        | Event::CheckoutExpired { .. } => Vec::new(),
    }
}

/// When each month of the term begins, the first included: its payment may be known before it starts.
fn months(term: &Term) -> Vec<Timestamp> {
    (0..MONTHS_MAX).map_while(|number| term.month(number)).map(|month| month.start).collect()
}

/// When each month of the line may begin. Months are counted from its start or back from its end.
fn line_months(line: &PaidLine) -> Vec<Timestamp> {
    let number = months_between(line.period.start, line.period.end).min(MONTHS_MAX);
    let forward = (0..number).map(|month| line.period.start.plus_months(month));
    let back = (1..=number).map(|month| line.period.end.minus_months(month));
    forward.chain(back).filter(|at| line.period.contains(*at)).collect()
}

/// An account that the clock changes by now.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DueAccount {
    pub account_id: String,
    /// The latest of its deadlines that have passed.
    pub due_at: DateTime<Utc>,
}

/// Accounts with a deadline that has passed at `at`, those that wait longest first; about `limit` of them.
///
/// # Errors
/// When the database cannot answer.
pub async fn due(pool: &PgPool, at: Timestamp, limit: i64) -> Result<Vec<DueAccount>, sqlx::Error> {
    sqlx::query_as(include_str!("due.sql")).bind(at.to_utc()).bind(limit).fetch_all(pool).await
}

/// Forgets the account's deadlines until `at`, once the account has moved past it.
///
/// # Errors
/// When the database cannot answer.
pub async fn done(pool: &PgPool, account: &AccountId, at: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("done.sql")).bind(account.as_str()).bind(at.to_utc()).execute(pool).await?;
    Ok(())
}
