//! Which version of a read model do readers see? The pass that counts.

use sqlx::{PgConnection, PgPool};

use crate::{consumer::Pass, postgres::placement::PlacementError, projections::Projection};

use super::tables;

/// Makes sure that the read model has a live version, with its tables.
///
/// The first read models were made by migrations. The tables of others are made here when they are first run, and so
/// are those of one that a migration has dropped to have it built anew.
pub(super) async fn enter(pool: &PgPool, projection: &dyn Projection) -> Result<(), PlacementError> {
    let mut transaction = pool.begin().await?;
    let entered = sqlx::query(include_str!("enter.sql"))
        .bind(projection.name())
        .bind(Pass::FIRST.0)
        .execute(&mut *transaction)
        .await?;
    let is_new = entered.rows_affected() == 1;
    if is_new && !tables::are_there(&mut transaction, projection, Pass::FIRST.0).await? {
        tables::make(&mut transaction, projection, Pass::FIRST.0).await?;
        tables::show(&mut transaction, projection, Pass::FIRST.0).await?;
    }
    Ok(transaction.commit().await?)
}

pub(super) async fn live(connection: &mut PgConnection, projection: &str) -> Result<Pass, sqlx::Error> {
    let live = sqlx::query_scalar(include_str!("live_version.sql")).bind(projection);
    live.fetch_one(connection).await.map(Pass)
}

/// The same, and locks it until the transaction ends.
pub(super) async fn lock_live(connection: &mut PgConnection, projection: &str) -> Result<Pass, sqlx::Error> {
    let live = sqlx::query_scalar(include_str!("lock_live_version.sql")).bind(projection);
    live.fetch_one(connection).await.map(Pass)
}

/// Shows readers another version.
pub(super) async fn switch(
    connection: &mut PgConnection,
    model: &dyn Projection,
    version: Pass,
) -> Result<(), sqlx::Error> {
    tables::show(connection, model, version.0).await?;
    sqlx::query(include_str!("make_live.sql")).bind(model.name()).bind(version.0).execute(connection).await?;
    Ok(())
}
