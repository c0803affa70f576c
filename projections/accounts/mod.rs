//! Which accounts are there? For the lists that operators read; a single account is answered from its own events.

mod queries;

use std::collections::BTreeSet;

use futures::{FutureExt, future::BoxFuture};
use sqlx::PgConnection;

use crate::domain::{
    event::{AccountEvent, Event},
    ids::{AccountId, ProviderId},
    metadata::Metadata,
    recorded::{RecordedEvent, Shard},
    subscription::SubscriptionState,
};

use super::{
    projection::{ApplyError, Projection, Tables},
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
        events: &'a [&'a RecordedEvent],
        tables: Tables,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            // All other events of an account follow its opening, so the openings of a batch can be written first, all
            // at once.
            open(events, tables, connection).await?;
            // The plan of an account is computed once a batch, however many reports it has.
            let mut reported = BTreeSet::new();
            for recorded in events {
                change(recorded, tables, connection).await?;
                reported.extend(recorded.event.reported().map(|_| (recorded.shard, &recorded.account)));
            }
            for (shard, account) in reported {
                stand(shard, account, tables, connection).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

async fn open(
    events: &[&RecordedEvent],
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let opened: Vec<_> = events
        .iter()
        .filter_map(|recorded| {
            let Event::Account(AccountEvent::AccountOpened { plan, effective_at, .. }) = &recorded.event
            else {
                return None;
            };
            Some((recorded, plan, effective_at))
        })
        .collect();
    if opened.is_empty() {
        return Ok(());
    }
    sqlx::query(&tables.statement(include_str!("open.sql")))
        .bind(opened.iter().map(|(recorded, _, _)| recorded.shard.0).collect::<Vec<_>>())
        .bind(opened.iter().map(|(recorded, _, _)| recorded.account.as_str()).collect::<Vec<_>>())
        .bind(opened.iter().map(|(_, _, at)| at.to_utc()).collect::<Vec<_>>())
        .bind(opened.iter().map(|(_, plan, _)| plan.as_str()).collect::<Vec<_>>())
        .bind(opened.iter().map(|(recorded, _, _)| recorded.position.0).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

async fn change(
    recorded: &RecordedEvent,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    if let Some(terms) = recorded.event.reported() {
        return plan(recorded, terms, tables, connection).await;
    }
    match &recorded.event {
        Event::Account(AccountEvent::CustomerLinked { customer, .. }) => {
            link(recorded, customer, false, tables, connection).await
        }
        Event::Account(AccountEvent::CustomerUnlinked { customer, .. }) => {
            link(recorded, customer, true, tables, connection).await
        }
        Event::Account(AccountEvent::AccountMetadataSet { metadata, .. }) => {
            attach(recorded, metadata, tables, connection).await
        }
        Event::Account(AccountEvent::AccountClosed { .. }) => close(recorded, tables, connection).await,
        Event::Account(
            AccountEvent::AccountOpened { .. }
            | AccountEvent::CustomerDiscounted { .. }
            | AccountEvent::CustomerDiscountEnded { .. },
        )
        | Event::Credits(_)
        | Event::Hold(_)
        | Event::Invoice(_)
        | Event::Notice(_)
        | Event::Subscription(_)
        | Event::Payment(_)
        | Event::Checkout(_) => Ok(()),
    }
}

async fn link(
    recorded: &RecordedEvent,
    customer: &ProviderId,
    gone: bool,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(&tables.statement(include_str!("link.sql")))
        .bind(recorded.shard.0)
        .bind(recorded.account.as_str())
        .bind(customer.as_str())
        .bind(gone)
        .execute(connection)
        .await?;
    Ok(())
}

async fn attach(
    recorded: &RecordedEvent,
    metadata: &Metadata,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let (names, texts): (Vec<&str>, Vec<&str>) = metadata.pairs().unzip();
    sqlx::query(&tables.statement(include_str!("attach.sql")))
        .bind(recorded.shard.0)
        .bind(recorded.account.as_str())
        .bind(names)
        .bind(texts)
        .execute(connection)
        .await?;
    Ok(())
}

async fn close(
    recorded: &RecordedEvent,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(&tables.statement(include_str!("close.sql")))
        .bind(recorded.shard.0)
        .bind(recorded.account.as_str())
        .bind(recorded.position.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query(&tables.statement(include_str!("close_attached.sql")))
        .bind(recorded.shard.0)
        .bind(recorded.account.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

async fn plan(
    recorded: &RecordedEvent,
    terms: &SubscriptionState,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(&tables.statement(include_str!("plan.sql")))
        .bind(recorded.shard.0)
        .bind(recorded.account.as_str())
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
    shard: Shard,
    account: &AccountId,
    tables: Tables,
    connection: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    let changed: Option<String> = sqlx::query_scalar(&tables.statement(include_str!("stand.sql")))
        .bind(shard.0)
        .bind(account.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(plan) = changed else { return Ok(()) };
    sqlx::query(&tables.statement(include_str!("stand_attached.sql")))
        .bind(shard.0)
        .bind(account.as_str())
        .bind(plan)
        .execute(connection)
        .await?;
    Ok(())
}
