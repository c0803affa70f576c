//! The tables of a read model are what its folder says, whoever made them.

use std::sync::Arc;

use counterfoil::{
    projections,
    projections::{Projection, Tables},
};
use sqlx::PgPool;

use super::{Following, open};
use crate::{
    database::roles::service_pool,
    support::{
        database::TestDatabase,
        ledger::{TestLedger, grant, open as open_account},
    },
};

/// Columns in their order, constraints and indexes of a table, without its version.
async fn shape(pool: &PgPool, table: &str, version: &str) -> Vec<String> {
    let shape: Vec<String> = sqlx::query_scalar(
        "with relation as (select ('read.' || $1)::regclass as id)
         select replace(line, $2, 'vN') from (
             select 1 as part, attnum::text as place,
                 concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, attcollation) as line
             from pg_attribute, relation where attrelid = id and attnum > 0 and not attisdropped
             union all
             select 2, conname, conname || ' ' || pg_get_constraintdef(oid) from pg_constraint, relation where conrelid = id
             union all
             select 3, relname, pg_get_indexdef(indexrelid)
             from pg_index, relation, pg_class where indrelid = relation.id and pg_class.oid = indexrelid
         ) as lines order by part, replace(place, $2, 'vN')",
    )
    .bind(format!("{table}_{version}"))
    .bind(version)
    .fetch_all(pool)
    .await
    .expect("the table is there");
    shape
}

/// The tables of the first version, compared with those that a rebuild would make now.
async fn assert_defined_once(pool: &PgPool, models: &[Arc<dyn Projection>]) {
    let rebuilt = Tables { version: 77 };
    for projection in models {
        let definition = rebuilt.statement(projection.definition());
        sqlx::raw_sql(&definition).execute(pool).await.expect("the definition can be carried out");
        for table in projection.tables() {
            let (first, again) = (shape(pool, table, "v1").await, shape(pool, table, "v77").await);
            assert_eq!(first, again, "{table} is not what its `tables.sql` says");
            let view = format!("select count(*) from read.{table}");
            sqlx::query(&view).execute(pool).await.expect("the table has a view");
            sqlx::raw_sql(&format!("drop table read.{table}_v77")).execute(pool).await.expect("allowed");
        }
    }
}

#[tokio::test]
async fn what_migrations_made_is_what_a_rebuild_makes() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    // Read models that no migration knows are made by the program.
    open(pool.clone(), projections::all()).await;
    assert_defined_once(&pool, &projections::all()).await;
}

/// Unique indexes of what follows the journal that do not begin with the shard.
async fn keys_without_shard(pool: &PgPool) -> Vec<String> {
    let keys = "select index.indexrelid::regclass::text from pg_index index
        join pg_class class on class.oid = index.indrelid and class.relnamespace = 'read'::regnamespace
        left join pg_attribute first on first.attrelid = class.oid and first.attnum = index.indkey[0]
        where index.indisunique and first.attname is distinct from 'shard'
            and class.relname not in ('projections', 'leases')
        order by 1";
    sqlx::query_scalar(keys).fetch_all(pool).await.expect("an answer")
}

#[tokio::test]
async fn each_key_begins_with_the_shard() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    open(pool.clone(), projections::all()).await;
    assert_eq!(keys_without_shard(&pool).await, Vec::<String>::new());
    let planted = "create table read.planted_v1 (account_id text primary key, shard smallint)";
    sqlx::raw_sql(planted).execute(&pool).await.expect("allowed");
    assert_eq!(keys_without_shard(&pool).await, ["read.planted_v1_pkey"]);
}

/// What a migration does that changes the tables of a read model.
async fn drop_model(pool: &PgPool, projection: &dyn Projection) {
    for table in projection.tables() {
        let drop = format!("drop view read.{table}; drop table read.{table}_v1");
        sqlx::raw_sql(&drop).execute(pool).await.expect("they are there");
    }
    for of in ["parked", "checkpoints", "projections"] {
        let delete = format!("delete from read.{of} where projection = $1");
        sqlx::query(&delete).bind(projection.name()).execute(pool).await.expect("allowed");
    }
}

async fn accounts(pool: &PgPool) -> i64 {
    let count = sqlx::query_scalar("select count(*) from read.accounts");
    count.fetch_one(pool).await.expect("the table has a view")
}

#[tokio::test]
async fn what_a_migration_drops_is_made_from_its_folder_and_fills_itself() {
    let ledger = TestLedger::start().await;
    let pool = ledger.database.pool();
    open_account(&ledger.ledger, "a").await.expect("opened");
    grant(&ledger.ledger, "a", 100, "start").await.expect("granted");
    let following = Following::start(pool.clone(), projections::all()).await;
    following.caught_up(&pool).await;
    drop(following);
    let before = accounts(&pool).await;
    assert!(before > 0, "there is something to be made again");
    for projection in projections::all() {
        drop_model(&pool, &*projection).await;
    }
    // Two instances may start at the same time, with no more rights than the program has.
    let service = service_pool(&ledger.database).await;
    let again =
        tokio::join!(open(service.clone(), projections::all()), open(service.clone(), projections::all()));
    drop(again);
    assert_defined_once(&pool, &projections::all()).await;
    let following = Following::start(service, projections::all()).await;
    following.caught_up(&pool).await;
    assert_eq!(accounts(&pool).await, before);
    following.assert_rebuild_finds_the_same().await;
}
