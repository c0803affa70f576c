//! Which accounts do customers and payments lead to, as far as any event has told?

use sqlx::PgConnection;

use super::{
    Inbox,
    claim::{Links, Payments},
};
use crate::domain::names::{AccountId, ProviderId};

impl Inbox {
    /// # Errors
    /// When the database does not answer.
    pub(in crate::stripe) async fn links(&self, customers: &[&str]) -> Result<Links, sqlx::Error> {
        links(&mut *self.pool().acquire().await?, customers).await
    }

    /// # Errors
    /// When the database does not answer.
    pub(in crate::stripe) async fn payments(&self, payments: &[&str]) -> Result<Payments, sqlx::Error> {
        self::payments(&mut *self.pool().acquire().await?, payments).await
    }
}

pub(super) async fn links(connection: &mut PgConnection, customers: &[&str]) -> Result<Links, sqlx::Error> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("select customer, account from ledger.stripe_links where customer = any ($1)")
            .bind(customers)
            .fetch_all(connection)
            .await?;
    let mut links = Links::new();
    for (customer, account) in rows {
        // What was stored here was an id before.
        if let (Ok(customer), Ok(account)) = (ProviderId::parse(&customer), AccountId::parse(&account)) {
            links.entry(customer).or_default().push(account);
        }
    }
    Ok(links)
}

pub(super) async fn payments(
    connection: &mut PgConnection,
    payments: &[&str],
) -> Result<Payments, sqlx::Error> {
    if payments.is_empty() {
        return Ok(Payments::new());
    }
    let rows: Vec<(String, String)> =
        sqlx::query_as("select payment, account from ledger.stripe_payments where payment = any ($1)")
            .bind(payments)
            .fetch_all(connection)
            .await?;
    let known = rows.iter().filter_map(|(payment, account)| {
        Some((ProviderId::parse(payment).ok()?, AccountId::parse(account).ok()?))
    });
    Ok(known.collect())
}
