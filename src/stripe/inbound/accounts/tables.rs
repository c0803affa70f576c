//! What is stored about the accounts of customers, payments and subscriptions?
//! It comes from events, and later events need it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

use super::{
    AccountLookup, AccountsByCustomer, NO_LINK, NO_PAYMENT, NO_REPORT, NewReport, PaymentAccounts, Reports,
};
use crate::{
    domain::{
        ids::{AccountId, ProviderId},
        subscription::{ReportOrder, TermsChange, in_order},
        time::Timestamp,
    },
    stripe::translate::{OwnerLookup, SubscriptionRef},
};

/// The keys by which events find their accounts.
#[derive(Debug, Default)]
pub struct LookupKeys<'a> {
    pub customers: BTreeSet<&'a str>,
    pub payments: BTreeSet<&'a str>,
    pub subscriptions: BTreeSet<&'a str>,
}

/// What became known about accounts while events were handled.
#[derive(Debug, Default)]
pub struct LearnedAccounts {
    pub links: Vec<(ProviderId, AccountId)>,
    pub payments: Vec<(ProviderId, AccountId)>,
    pub reports: Vec<NewReport>,
}

#[derive(FromRow)]
struct LinkRow {
    subscription: String,
    evidence: String,
    account: String,
    reported_at: DateTime<Utc>,
    rank: i16,
    step_from: Option<String>,
    step_to: Option<String>,
}

impl LinkRow {
    /// Only valid ids were stored.
    fn read(self) -> Option<(ProviderId, ReportOrder, AccountId)> {
        let step = self.step_to.map(|to| TermsChange { from: self.step_from, to });
        let evidence = ReportOrder {
            reported_at: self.reported_at.into(),
            rank: u8::try_from(self.rank).ok()?,
            id: ProviderId::parse(&self.evidence).ok()?,
            step,
        };
        Some((ProviderId::parse(&self.subscription).ok()?, evidence, AccountId::parse(&self.account).ok()?))
    }
}

impl<'a> LookupKeys<'a> {
    /// The keys of events, given by their owners and subscriptions.
    pub fn of(events: impl Iterator<Item = (&'a OwnerLookup, Option<&'a SubscriptionRef>)>) -> Self {
        let mut keys = Self::default();
        for (owner, about) in events {
            keys.customers.extend(owner.customer().map(ProviderId::as_str));
            keys.payments.extend(owner.payment().map(ProviderId::as_str));
            keys.subscriptions.extend(about.map(|about| about.subscription.as_str()));
        }
        keys
    }
}

impl AccountLookup {
    /// Reads what is known so far.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn load(connection: &mut PgConnection, keys: &LookupKeys<'_>) -> Result<Self, sqlx::Error> {
        let LookupKeys { customers, payments, subscriptions } = keys;
        Ok(Self {
            links: links(connection, &Vec::from_iter(customers.iter().copied())).await?,
            payments: self::payments(connection, &Vec::from_iter(payments.iter().copied())).await?,
            reports: reports(connection, &Vec::from_iter(subscriptions.iter().copied())).await?,
        })
    }
}

impl LearnedAccounts {
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.links.is_empty() && self.payments.is_empty() && self.reports.is_empty()
    }

    pub fn extend(&mut self, other: Self) {
        self.links.extend(other.links);
        self.payments.extend(other.payments);
        self.reports.extend(other.reports);
    }

    /// Whether events may have waited for it.
    #[must_use]
    pub const fn has_names(&self) -> bool {
        !self.links.is_empty() || !self.payments.is_empty()
    }

    /// Stores it, and wakes events that waited for it.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn keep(&self, connection: &mut PgConnection, at: Timestamp) -> Result<(), sqlx::Error> {
        self.keep_links(connection, at).await?;
        let (payments, bought_for) = columns(&self.payments);
        sqlx::query(include_str!("keep_payments.sql"))
            .bind(payments)
            .bind(bought_for)
            .bind(at.to_utc())
            .execute(&mut *connection)
            .await?;
        self.wake(connection, at).await?;
        self.keep_reports(connection, at).await
    }

    /// # Errors
    /// If the database does not answer.
    pub async fn keep_links(&self, connection: &mut PgConnection, at: Timestamp) -> Result<(), sqlx::Error> {
        let (customers, linked) = columns(&self.links);
        sqlx::query(include_str!("keep_links.sql"))
            .bind(customers)
            .bind(linked)
            .bind(at.to_utc())
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// Wakes events that waited for these customers and payments.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn wake(&self, connection: &mut PgConnection, at: Timestamp) -> Result<(), sqlx::Error> {
        if !self.has_names() {
            return Ok(());
        }
        sqlx::query(include_str!("wake.sql"))
            .bind(columns(&self.links).0)
            .bind(at.to_utc())
            .bind(NO_LINK)
            .bind(columns(&self.payments).0)
            .bind(NO_PAYMENT)
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// Stores which account each report names, and wakes events that waited for the first report on a subscription.
    async fn keep_reports(&self, connection: &mut PgConnection, at: Timestamp) -> Result<(), sqlx::Error> {
        let reports = &self.reports;
        if reports.is_empty() {
            return Ok(());
        }
        let evidence = || reports.iter().map(|report| &report.evidence);
        let steps = || evidence().map(|evidence| evidence.step.as_ref());
        sqlx::query(include_str!("keep_reports.sql"))
            .bind(reports.iter().map(|report| report.subscription.as_str()).collect::<Vec<_>>())
            .bind(evidence().map(|evidence| evidence.id.as_str()).collect::<Vec<_>>())
            .bind(reports.iter().map(|report| report.account.as_str()).collect::<Vec<_>>())
            .bind(evidence().map(|evidence| evidence.reported_at.to_utc()).collect::<Vec<_>>())
            .bind(evidence().map(|evidence| i16::from(evidence.rank)).collect::<Vec<_>>())
            .bind(steps().map(|step| step.and_then(|step| step.from.as_deref())).collect::<Vec<_>>())
            .bind(steps().map(|step| step.map(|step| step.to.as_str())).collect::<Vec<_>>())
            .bind(reports.iter().map(|report| report.party.as_str()).collect::<Vec<_>>())
            .bind(at.to_utc())
            .bind(NO_REPORT)
            .execute(connection)
            .await
            .map(|_| ())
    }
}

pub(super) async fn links(
    connection: &mut PgConnection,
    customers: &[&str],
) -> Result<AccountsByCustomer, sqlx::Error> {
    let rows: Vec<(String, String)> =
        sqlx::query_as(include_str!("links.sql")).bind(customers).fetch_all(connection).await?;
    let mut links = AccountsByCustomer::new();
    for (customer, account) in rows {
        // Only valid ids were stored.
        if let (Ok(customer), Ok(account)) = (ProviderId::parse(&customer), AccountId::parse(&account)) {
            links.entry(customer).or_default().push(account);
        }
    }
    Ok(links)
}

async fn payments(connection: &mut PgConnection, payments: &[&str]) -> Result<PaymentAccounts, sqlx::Error> {
    if payments.is_empty() {
        return Ok(PaymentAccounts::new());
    }
    let rows: Vec<(String, String)> =
        sqlx::query_as(include_str!("payments.sql")).bind(payments).fetch_all(connection).await?;
    let known = rows.iter().filter_map(|(payment, account)| {
        Some((ProviderId::parse(payment).ok()?, AccountId::parse(account).ok()?))
    });
    Ok(known.collect())
}

async fn reports(connection: &mut PgConnection, subscriptions: &[&str]) -> Result<Reports, sqlx::Error> {
    let mut reports = Reports::new();
    if subscriptions.is_empty() {
        return Ok(reports);
    }
    let rows: Vec<LinkRow> =
        sqlx::query_as(include_str!("reports.sql")).bind(subscriptions).fetch_all(connection).await?;
    for (subscription, evidence, account) in rows.into_iter().filter_map(LinkRow::read) {
        reports.entry(subscription).or_default().push((evidence, account));
    }
    Ok(reports.into_iter().map(|(subscription, reports)| (subscription, in_order(reports))).collect())
}

fn columns(pairs: &[(ProviderId, AccountId)]) -> (Vec<&str>, Vec<&str>) {
    pairs.iter().map(|(object, account)| (object.as_str(), account.as_str())).unzip()
}
