//! Which accounts are there? For the lists that operators look at; one account is answered from its own state.

mod queries;

use std::collections::BTreeSet;

use futures::{FutureExt, future::BoxFuture};
use sqlx::PgConnection;

use crate::domain::{
    event::Event,
    ids::{AccountId, ProviderId},
    metadata::Metadata,
    subscription::SubscriptionState,
};

use super::{
    fact::Fact,
    projection::{ApplyError, Projection, Tables},
    subscription_reports,
    subscriptions::status_name,
};

pub use queries::{
    ACCOUNTS_MAX, AccountCursor, AccountFilter, AccountRow, Among, Linked, ListedStatus, of_customers, page,
};

pub struct AccountsProjection;

impl Projection for AccountsProjection {
    fn name(&self) -> &'static str {
        "accounts"
    }

    fn definition(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn tables(&self) -> &'static [&'static str] {
        &["accounts", "account_customers", "account_metadata", "account_plans"]
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
            // Everything else about an account comes after its opening, so those may go first, all at once.
            open(facts, tables, connection).await?;
            // What an account is on is worked out once, however often it was reported on.
            let mut reported = BTreeSet::new();
            for fact in facts {
                change(fact, tables, connection).await?;
                reported.extend(subscription_reports::terms(fact.event).map(|_| fact.account));
            }
            for account in reported {
                stand(account, tables, connection).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

#[expect(clippy::too_many_lines, reason = "one match names every event")]
async fn open(facts: &[Fact<'_>], tables: Tables, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let opened: Vec<_> = facts
        .iter()
        .filter_map(|fact| match fact.event {
            Event::AccountOpened { plan, effective_at, .. } => Some((fact, plan, effective_at)),
            Event::CustomerLinked { .. }
            | Event::CustomerUnlinked { .. }
            | Event::CustomerDiscounted { .. }
            | Event::CustomerDiscountEnded { .. }
            | Event::AccountMetadataSet { .. }
            | Event::AccountClosed { .. }
            | Event::CreditsGranted { .. }
            | Event::CreditsDeducted { .. }
            | Event::CreditsRefunded { .. }
            | Event::CreditsExpired { .. }
            | Event::CreditsAdjusted { .. }
            | Event::CreditsClawedBack { .. }
            | Event::CreditsRestored { .. }
            | Event::GrantFrozen { .. }
            | Event::GrantUnfrozen { .. }
            | Event::GrantEndMoved { .. }
            | Event::DebtPaid { .. }
            | Event::DebtForgiven { .. }
            | Event::CreditsHeld { .. }
            | Event::HoldExtended { .. }
            | Event::HoldCommitted { .. }
            | Event::HoldReleased { .. }
            | Event::HoldExpired { .. }
            | Event::InvoicePaid { .. }
            | Event::InvoiceUnpaid { .. }
            | Event::PeriodPaid { .. }
            | Event::TrialEndAnnounced { .. }
            | Event::SubscriptionChangeRequested { .. }
            | Event::TrialStarted { .. }
            | Event::SubscriptionStarted { .. }
            | Event::SubscriptionRenewed { .. }
            | Event::PlanChanged { .. }
            | Event::PlanChangeScheduled { .. }
            | Event::RevenueChanged { .. }
            | Event::SubscriptionMoved { .. }
            | Event::SubscriptionPastDue { .. }
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
            | Event::CheckoutExpired { .. } => None,
        })
        .collect();
    if opened.is_empty() {
        return Ok(());
    }
    sqlx::query(&tables.statement(include_str!("open.sql")))
        .bind(opened.iter().map(|(fact, _, _)| fact.account.as_str()).collect::<Vec<_>>())
        .bind(opened.iter().map(|(fact, _, _)| fact.shard).collect::<Vec<_>>())
        .bind(opened.iter().map(|(_, _, at)| at.to_utc()).collect::<Vec<_>>())
        .bind(opened.iter().map(|(_, plan, _)| plan.as_str()).collect::<Vec<_>>())
        .bind(opened.iter().map(|(fact, _, _)| fact.position).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

async fn change(fact: &Fact<'_>, tables: Tables, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    if let Some(terms) = subscription_reports::terms(fact.event) {
        return plan(fact, terms, tables, connection).await;
    }
    match fact.event {
        Event::CustomerLinked { customer, .. } => link(fact, customer, false, tables, connection).await,
        Event::CustomerUnlinked { customer, .. } => link(fact, customer, true, tables, connection).await,
        Event::AccountMetadataSet { metadata, .. } => attach(fact, metadata, tables, connection).await,
        Event::AccountClosed { .. } => close(fact, tables, connection).await,
        Event::AccountOpened { .. }
        | Event::CustomerDiscounted { .. }
        | Event::CustomerDiscountEnded { .. }
        | Event::CreditsGranted { .. }
        | Event::CreditsDeducted { .. }
        | Event::CreditsRefunded { .. }
        | Event::CreditsExpired { .. }
        | Event::CreditsAdjusted { .. }
        | Event::CreditsClawedBack { .. }
        | Event::CreditsRestored { .. }
        | Event::GrantFrozen { .. }
        | Event::GrantUnfrozen { .. }
        | Event::GrantEndMoved { .. }
        | Event::DebtPaid { .. }
        | Event::DebtForgiven { .. }
        | Event::CreditsHeld { .. }
        | Event::HoldExtended { .. }
        | Event::HoldCommitted { .. }
        | Event::HoldReleased { .. }
        | Event::HoldExpired { .. }
        | Event::InvoicePaid { .. }
        | Event::InvoiceUnpaid { .. }
        | Event::PeriodPaid { .. }
        | Event::TrialEndAnnounced { .. }
        | Event::SubscriptionChangeRequested { .. }
        | Event::TrialStarted { .. }
        | Event::SubscriptionStarted { .. }
        | Event::SubscriptionRenewed { .. }
        | Event::PlanChanged { .. }
        | Event::PlanChangeScheduled { .. }
        | Event::RevenueChanged { .. }
        | Event::SubscriptionMoved { .. }
        | Event::SubscriptionPastDue { .. }
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
        | Event::CheckoutExpired { .. } => Ok(()),
    }
}

async fn link(
    fact: &Fact<'_>,
    customer: &ProviderId,
    gone: bool,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(&tables.statement(include_str!("link.sql")))
        .bind(fact.account.as_str())
        .bind(customer.as_str())
        .bind(gone)
        .execute(connection)
        .await?;
    Ok(())
}

async fn attach(
    fact: &Fact<'_>,
    metadata: &Metadata,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let (names, texts): (Vec<&str>, Vec<&str>) = metadata.pairs().unzip();
    sqlx::query(&tables.statement(include_str!("attach.sql")))
        .bind(fact.account.as_str())
        .bind(names)
        .bind(texts)
        .execute(connection)
        .await?;
    Ok(())
}

async fn close(fact: &Fact<'_>, tables: Tables, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(&tables.statement(include_str!("close.sql")))
        .bind(fact.account.as_str())
        .bind(fact.position)
        .execute(&mut *connection)
        .await?;
    sqlx::query(&tables.statement(include_str!("close_attached.sql")))
        .bind(fact.account.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

async fn plan(
    fact: &Fact<'_>,
    terms: &SubscriptionState,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(&tables.statement(include_str!("plan.sql")))
        .bind(fact.account.as_str())
        .bind(terms.subscription.as_str())
        .bind(terms.plan.as_str())
        .bind(status_name(terms.status))
        .bind(terms.status.gives_access())
        .bind(terms.ended_at.is_some())
        .bind(terms.evidence.reported_at.to_utc())
        .bind(i16::from(terms.evidence.rank))
        .bind(terms.evidence.id.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

async fn stand(
    account: &AccountId,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let changed: Option<String> = sqlx::query_scalar(&tables.statement(include_str!("stand.sql")))
        .bind(account.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(plan) = changed else { return Ok(()) };
    sqlx::query(&tables.statement(include_str!("stand_attached.sql")))
        .bind(account.as_str())
        .bind(plan)
        .execute(connection)
        .await?;
    Ok(())
}
