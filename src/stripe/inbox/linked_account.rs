//! Which accounts do customers and payments lead to, as far as any event has told?

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgConnection, types::Json};

use super::{
    super::discounts::{CouponReport, Coupons},
    Inbox,
    claim::{AccountsByCustomer, PaymentAccounts, Reports},
};
use crate::domain::{
    ids::{AccountId, ProviderId},
    subscription::{ReportOrder, TermsChange, in_order},
    time::Timestamp,
};

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
    /// What was stored here were ids before.
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

impl Inbox {
    /// # Errors
    /// When the database does not answer.
    pub(in crate::stripe) async fn links(
        &self,
        customers: &[&str],
    ) -> Result<AccountsByCustomer, sqlx::Error> {
        links(&mut *self.pool().acquire().await?, customers).await
    }

    /// # Errors
    /// When the database does not answer.
    pub(in crate::stripe) async fn payments(
        &self,
        payments: &[&str],
    ) -> Result<PaymentAccounts, sqlx::Error> {
        self::payments(&mut *self.pool().acquire().await?, payments).await
    }

    /// Some of the subscriptions that were reported by then, in the order of their ids, from after one on.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(in crate::stripe) async fn reported(
        &self,
        after: &str,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<ProviderId>, sqlx::Error> {
        let rows: Vec<String> = sqlx::query_scalar(
            "select distinct subscription from ledger.stripe_reports
             where subscription > $1 and known_at <= $2 order by subscription limit $3",
        )
        .bind(after)
        .bind(until.to_utc())
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        Ok(rows.iter().filter_map(|id| ProviderId::parse(id).ok()).collect())
    }

    /// # Errors
    /// When the database does not answer.
    pub(in crate::stripe) async fn coupons(&self, ids: &[String]) -> Result<Coupons, sqlx::Error> {
        coupons(&mut *self.pool().acquire().await?, ids).await
    }

    /// # Errors
    /// When the database does not answer.
    pub(in crate::stripe) async fn keep_coupons(&self, told: &[CouponReport]) -> Result<(), sqlx::Error> {
        keep_coupons(&mut *self.pool().acquire().await?, told).await
    }

    /// # Errors
    /// When the database does not answer.
    pub(in crate::stripe) async fn reports(&self, subscriptions: &[&str]) -> Result<Reports, sqlx::Error> {
        self::reports(&mut *self.pool().acquire().await?, subscriptions).await
    }
}

pub(super) async fn links(
    connection: &mut PgConnection,
    customers: &[&str],
) -> Result<AccountsByCustomer, sqlx::Error> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("select customer, account from ledger.stripe_links where customer = any ($1)")
            .bind(customers)
            .fetch_all(connection)
            .await?;
    let mut links = AccountsByCustomer::new();
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
) -> Result<PaymentAccounts, sqlx::Error> {
    if payments.is_empty() {
        return Ok(PaymentAccounts::new());
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

pub(super) async fn reports(
    connection: &mut PgConnection,
    subscriptions: &[&str],
) -> Result<Reports, sqlx::Error> {
    let mut reports = Reports::new();
    if subscriptions.is_empty() {
        return Ok(reports);
    }
    let rows: Vec<LinkRow> = sqlx::query_as(
        "select subscription, evidence, account, reported_at, rank, step_from, step_to
         from ledger.stripe_reports where subscription = any ($1)",
    )
    .bind(subscriptions)
    .fetch_all(connection)
    .await?;
    for (subscription, evidence, account) in rows.into_iter().filter_map(LinkRow::read) {
        reports.entry(subscription).or_default().push((evidence, account));
    }
    Ok(reports.into_iter().map(|(subscription, reports)| (subscription, in_order(reports))).collect())
}

/// What is known of these coupons, discounts and customers.
pub(super) async fn coupons(connection: &mut PgConnection, ids: &[String]) -> Result<Coupons, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Coupons::new());
    }
    let rows: Vec<(String, Json<Value>)> =
        sqlx::query_as("select id, coupon from ledger.stripe_coupons where id = any ($1)")
            .bind(ids)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|(id, Json(coupon))| (id, coupon)).collect())
}

/// Of what is told of one customer the newest holds.
pub(super) async fn keep_coupons(
    connection: &mut PgConnection,
    told: &[CouponReport],
) -> Result<(), sqlx::Error> {
    for CouponReport { id, coupon, at } in told {
        sqlx::query(
            "insert into ledger.stripe_coupons as known (id, coupon, told_at) values ($1, $2, $3)
             on conflict on constraint stripe_coupons_id do update
             set coupon = excluded.coupon, told_at = excluded.told_at where excluded.told_at >= known.told_at",
        )
        .bind(id)
        .bind(Json(coupon))
        .bind(at.to_utc())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
