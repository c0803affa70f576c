//! A read model as small as possible, to see what happens to any: what each event added to its account's credits.

use std::sync::Arc;

use counterfoil::{
    domain::recorded::RecordedEvent,
    projections::{self, ApplyError, Projection, Tables},
    queries::statement::lines_of,
};
use futures::{FutureExt, future::BoxFuture};
use sqlx::{PgConnection, PgPool};

pub struct Movements;

/// Those of the program, and this one.
pub fn and_all() -> Vec<Arc<dyn Projection>> {
    let mut all = projections::all();
    all.push(Arc::new(Movements));
    all
}

/// What was added to an account's credits, in order.
pub async fn amounts(pool: &PgPool, account: &str) -> Vec<i64> {
    sqlx::query_scalar("select amount from read.movements where account_id = $1 order by sequence")
        .bind(account)
        .fetch_all(pool)
        .await
        .expect("an answer")
}

impl Projection for Movements {
    fn name(&self) -> &'static str {
        "movements"
    }

    fn definition(&self) -> &'static str {
        "create table read.movements_vN (
            account_id text not null,
            sequence bigint not null,
            amount bigint not null,
            constraint movements_event_vN primary key (account_id, sequence)
        );"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["movements"]
    }

    fn totals(&self) -> &'static str {
        "select 'sum ' || coalesce(sum(amount), 0) || ' of ' || count(*) from read.movements_vN"
    }

    fn apply<'a>(
        &'a self,
        events: &'a [&'a RecordedEvent],
        tables: Tables,
        connection: &'a mut PgConnection,
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let insert = tables.statement("insert into read.movements_vN values ($1, $2, $3)");
            for event in events {
                for line in lines_of(event) {
                    sqlx::query(&insert)
                        .bind(event.account.as_str())
                        .bind(event.sequence)
                        .bind(line.amount)
                        .execute(&mut *connection)
                        .await?;
                }
            }
            Ok(())
        }
        .boxed()
    }
}
