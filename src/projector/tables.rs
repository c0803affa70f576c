//! Where are the rows of one version of a read model? In tables of its own, which its folder's `tables.sql` defines.

use sqlx::{Executor, PgConnection};

use crate::{
    postgres::placement::{self, PlacementError},
    projections::{Projection, Tables},
};

/// Makes the tables of a version, on the nodes of their shards.
pub(super) async fn make(
    connection: &mut PgConnection,
    model: &dyn Projection,
    version: i32,
) -> Result<(), PlacementError> {
    let definition = Tables { version }.statement(model.definition());
    connection.execute(definition.as_str()).await?;
    hand_over(connection).await?;
    placement::place_read_models(connection).await
}

async fn hand_over(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("hand_over.sql")).execute(connection).await.map(|_| ())
}

/// Whether the tables of a version exist.
pub(super) async fn are_there(
    connection: &mut PgConnection,
    model: &dyn Projection,
    version: i32,
) -> Result<bool, sqlx::Error> {
    let Some(first) = model.tables().first() else { return Ok(true) };
    sqlx::query_scalar(include_str!("has_table.sql"))
        .bind(format!("read.{first}_v{version}"))
        .fetch_one(connection)
        .await
}

/// Shows readers this version. The views keep their columns: a version with other ones comes with a migration that
/// drops the read model, so that it is made anew.
pub(super) async fn show(
    connection: &mut PgConnection,
    model: &dyn Projection,
    version: i32,
) -> Result<(), sqlx::Error> {
    for table in model.tables() {
        let statement = Tables { version }.statement_on(table, include_str!("show_table.sql"));
        connection.execute(statement.as_str()).await?;
    }
    hand_over(connection).await
}

/// Drops the tables of a version, if they exist.
pub(super) async fn drop(
    connection: &mut PgConnection,
    model: &dyn Projection,
    version: i32,
) -> Result<(), sqlx::Error> {
    for table in model.tables() {
        let statement = Tables { version }.statement_on(table, include_str!("drop_table.sql"));
        connection.execute(statement.as_str()).await?;
    }
    Ok(())
}
