//! The migrations make the tables that a rebuild makes.

use counterfoil::{projections, projections::Tables};
use sqlx::PgPool;

use crate::support::database::TestDatabase;

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

#[tokio::test]
async fn the_first_version_is_made_by_the_migrations() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    let rebuilt = Tables { version: 77 };
    for projection in projections::all() {
        let definition = rebuilt.statement(projection.definition());
        sqlx::raw_sql(&definition).execute(&pool).await.expect("the definition can be carried out");
        for table in projection.tables() {
            let (first, again) = (shape(&pool, table, "v1").await, shape(&pool, table, "v77").await);
            assert_eq!(first, again, "{table} differs from its migration");
            let view = format!("select count(*) from read.{table}");
            sqlx::query(&view).execute(&pool).await.expect("the table has a view");
        }
    }
}
