//! Who puts the tables to their nodes, and when? The start that has migrated, and whoever makes a read model's tables.

use sqlx::{Connection, PgConnection};

use crate::{
    pool::{IDLE_IN_TRANSACTION_TIMEOUT_MS, LOCK_TIMEOUT_MS, STATEMENT_TIMEOUT_MS},
    roles::SERVICE,
};

use super::{Placement, ShardGroup, TABLES, placement_of};

/// Into how many parts tables are split, if the journal does not have more shards.
const PARTS_MIN: i32 = 32;

/// Tables were not put to their nodes.
#[derive(Debug, thiserror::Error)]
pub enum PlacementError {
    #[error("a table cannot be put to its nodes")]
    Database(#[from] sqlx::Error),
    #[error("the table `{table}` is new to the program, and nobody has said on which nodes it belongs")]
    Unlisted { table: String },
    #[error(
        "tables whose shards move together have several owners, and Citus would lose rows while it moves a shard: \
         {tables}; give them to one owner (`alter table … owner to …`)"
    )]
    SeveralOwners { tables: String },
}

/// Puts all tables and functions to their nodes that are not there yet. Does nothing without Citus.
///
/// # Errors
/// If the database refuses it, or a table is in no list.
pub async fn distribute(connection: &mut PgConnection) -> Result<(), PlacementError> {
    if !is_distributed(connection).await? {
        return Ok(());
    }
    let_the_service_log_in(connection).await?;
    let mut transaction = connection.begin().await?;
    // The append-only triggers work on each node as on one.
    sqlx::raw_sql("set local citus.enable_unsafe_triggers = on").execute(&mut *transaction).await?;
    place(&mut transaction, is_of_the_login).await?;
    let functions: Vec<String> =
        sqlx::query_scalar(include_str!("functions.sql")).fetch_all(&mut *transaction).await?;
    for function in functions {
        let delegate = sqlx::query(include_str!("delegate.sql")).bind(function);
        delegate.bind(ShardGroup::Journal.first()).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    // In a transaction of their owner: one transaction cannot use a table as two roles.
    let mut transaction = connection.begin().await?;
    sqlx::raw_sql(&format!("set local role {SERVICE}")).execute(&mut *transaction).await?;
    place(&mut transaction, |table| !is_of_the_login(table)).await?;
    transaction.commit().await?;
    require_one_owner(connection).await
}

/// The same for the tables of a read model that were made on this connection.
///
/// # Errors
/// If the database refuses it.
pub async fn place_read_models(connection: &mut PgConnection) -> Result<(), PlacementError> {
    if !is_distributed(connection).await? {
        return Ok(());
    }
    place(connection, |table| !is_of_the_login(table)).await?;
    require_one_owner(connection).await
}

fn is_of_the_login(table: &str) -> bool {
    !table.starts_with("read.")
}

/// Whether the database is one on several nodes.
///
/// # Errors
/// If the database does not answer.
pub async fn is_distributed(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(include_str!("is_distributed.sql")).fetch_one(connection).await
}

/// Between nodes, Citus logs in as the role that a session has taken on, and passes no settings of the session on.
/// A login that may not change the role goes on: an operator has to do it.
async fn let_the_service_log_in(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let limits = [
        ("statement_timeout", STATEMENT_TIMEOUT_MS),
        ("lock_timeout", LOCK_TIMEOUT_MS),
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_TIMEOUT_MS),
    ];
    let settings: Vec<String> = limits.iter().map(|(name, limit)| format!("{name}={limit}")).collect();
    let is_done: bool = sqlx::query_scalar(include_str!("service_may_log_in.sql"))
        .bind(SERVICE)
        .bind(settings)
        .fetch_one(&mut *connection)
        .await?;
    if is_done {
        return Ok(());
    }
    let alter = include_str!("let_service_log_in.sql");
    let alter = limits.iter().fold(alter.to_owned(), |alter, (name, limit)| {
        alter.replace(&name.to_uppercase(), &limit.to_string())
    });
    match sqlx::raw_sql(&alter).execute(connection).await {
        Err(error) if error.as_database_error().is_some() => {
            tracing::warn!(
                role = SERVICE,
                error = &error as &dyn std::error::Error,
                "the login cannot let the service's role log in between nodes, with limits; a superuser has to"
            );
            Ok(())
        }
        done => done.map(|_| ()),
    }
}

/// Puts those of the tables to their nodes that `is_wanted` and that are not there yet.
async fn place(connection: &mut PgConnection, is_wanted: fn(&str) -> bool) -> Result<(), PlacementError> {
    // Node by node, since what follows in the same transaction cannot follow what was done on several at once.
    let sequential = "set local citus.multi_shard_modify_mode = 'sequential'";
    sqlx::query(sequential).execute(&mut *connection).await?;
    let unplaced: Vec<String> =
        sqlx::query_scalar(include_str!("unplaced.sql")).fetch_all(&mut *connection).await?;
    let mut unplaced: Vec<String> = unplaced.into_iter().filter(|table| is_wanted(table)).collect();
    // The first table of a group is above the others, which are above the versions of read models.
    unplaced
        .sort_by_key(|table| TABLES.iter().position(|(name, _, _)| name == table).unwrap_or(TABLES.len()));
    for table in unplaced {
        let Some(placement) = placement_of(&table) else { return Err(PlacementError::Unlisted { table }) };
        let put = match placement {
            Placement::ByShard(group) if group.first() == table => {
                sqlx::query(include_str!("by_shard.sql")).bind(&table).bind(PARTS_MIN)
            }
            Placement::ByShard(group) => {
                sqlx::query(include_str!("beside.sql")).bind(&table).bind(group.first())
            }
            Placement::Everywhere => sqlx::query(include_str!("everywhere.sql")).bind(&table),
            Placement::OnePlace => sqlx::query(include_str!("one_place.sql")).bind(&table),
        };
        put.execute(&mut *connection).await?;
    }
    Ok(())
}

async fn require_one_owner(connection: &mut PgConnection) -> Result<(), PlacementError> {
    let several: Option<String> =
        sqlx::query_scalar(include_str!("several_owners.sql")).fetch_optional(connection).await?;
    several.map_or(Ok(()), |tables| Err(PlacementError::SeveralOwners { tables }))
}
