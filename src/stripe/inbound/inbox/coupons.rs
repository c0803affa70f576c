//! Which coupons, discounts and customers' discounts are known?

use serde_json::Value;
use sqlx::{PgConnection, types::Json};

use super::{
    super::discounts::{CouponReport, Coupons},
    Inbox,
};

impl Inbox {
    /// # Errors
    /// If the database does not answer.
    pub(in crate::stripe) async fn coupons(&self, ids: &[String]) -> Result<Coupons, sqlx::Error> {
        coupons(&mut *self.pool().acquire().await?, ids).await
    }

    /// # Errors
    /// If the database does not answer.
    pub(in crate::stripe) async fn keep_coupons(&self, told: &[CouponReport]) -> Result<(), sqlx::Error> {
        keep_coupons(&mut *self.pool().acquire().await?, told).await
    }
}

/// The known terms of these coupons, discounts and customers.
pub(super) async fn coupons(connection: &mut PgConnection, ids: &[String]) -> Result<Coupons, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Coupons::new());
    }
    let rows: Vec<(String, Json<Value>)> =
        sqlx::query_as(include_str!("coupons.sql")).bind(ids).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(id, Json(coupon))| (id, coupon)).collect())
}

/// Stores terms. For a customer, the newest report counts.
pub(super) async fn keep_coupons(
    connection: &mut PgConnection,
    told: &[CouponReport],
) -> Result<(), sqlx::Error> {
    for CouponReport { id, coupon, at } in told {
        sqlx::query(include_str!("keep_coupon.sql"))
            .bind(id)
            .bind(Json(coupon))
            .bind(at.to_utc())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
