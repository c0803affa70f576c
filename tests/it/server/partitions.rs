//! Does each statement about one shard touch the rows of this shard only?
//!
//! All that the program does over HTTP is done on a database whose tables are partitioned by shard, and the database
//! explains every statement that it runs. What touches one partition here is for one node where there are several.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::postgres::placement::{Placement, placement_of};
use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection, Row};

use crate::{
    server::{
        api::coverage::exercise_all,
        plans::{deduct, explain_all},
    },
    support::{
        database::TestDatabase,
        heard::Heard,
        ledger::{TestLedger, music_for_sale},
        shop::Shop,
        statements::plain,
    },
};

/// Shards that have a partition each. The journal uses the first.
const SHARDS: [i16; 3] = [0, 1, 8];

/// What must have been done by one that touches one partition: of an append, of a load, of a look-up by a key, of a
/// read model's step and of the reads of one account.
const HOT: [(&str, &str); 15] = [
    ("the head is locked and read", "from ledger.heads where shard = in_shard for update"),
    ("the head is moved", "update ledger.heads"),
    ("a snapshot is found", include_str!("../../../src/journal/find_snapshots.sql")),
    ("events after a snapshot are loaded", include_str!("../../../src/journal/read_on.sql")),
    ("an account's events are listed", include_str!("../../../src/journal/stream.sql")),
    ("a checkpoint moves", include_str!("../../../src/consumer/advance.sql")),
    ("a checkpoint is read", include_str!("../../../src/consumer/checkpoint.sql")),
    ("revenue that is known is read", include_str!("../../../projections/mrr/reports.sql")),
    ("movements are forgotten", include_str!("../../../projections/mrr/forget_movements.sql")),
    ("the newest report is read", include_str!("../../../projections/subscriptions/newest.sql")),
    ("an account's plan is set", include_str!("../../../projections/accounts/stand.sql")),
    ("an account's usage is read", include_str!("../../../projections/usage/of_account.sql")),
    ("an account's movements are read", include_str!("../../../projections/mrr/movements_of_account.sql")),
    ("an account's reports are read", include_str!("../../../projections/subscriptions/history.sql")),
    ("an account's payments are read", include_str!("../../../projections/payments/told.sql")),
];

async fn run(connection: &mut PgConnection, statement: &str) {
    connection.execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// The same tables by shard, each with a partition for each shard.
async fn partition(connection: &mut PgConnection) {
    let tables: Vec<(String, String, bool)> = sqlx::query_as(
        "select nspname::text, relname::text, relowner = 'counterfoil_service'::regrole from pg_class \
         join pg_namespace on pg_namespace.oid = relnamespace where relkind = 'r' and nspname in ('ledger', 'read')",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    for (schema, table, is_of_the_service) in tables {
        let name = format!("{schema}.{table}");
        if !matches!(placement_of(&name), Some(Placement::ByShard(_))) {
            continue;
        }
        let view = table.split("_v").next().unwrap_or_default();
        let is_version = view != table;
        let mut statements = vec![
            format!("create table {schema}.twin (like {name} including all) partition by list (shard)"),
            format!("insert into {schema}.twin select * from {name}"),
            format!("drop table {name} cascade"),
            format!("alter table {schema}.twin rename to {table}"),
            format!("grant select, insert, update, delete on {name} to counterfoil_service"),
        ];
        for shard in SHARDS {
            let partition =
                format!("create table {name}_shard_{shard} partition of {name} for values in ({shard})");
            statements.insert(
                1,
                partition.replace(&format!("partition of {name}"), &format!("partition of {schema}.twin")),
            );
        }
        if is_version {
            statements.push(format!("create view {schema}.{view} as select * from {name}"));
            statements.push(format!("grant select on {schema}.{view} to counterfoil_service"));
        }
        if is_of_the_service {
            statements.push(format!("alter table {name} owner to counterfoil_service"));
        }
        for statement in statements {
            run(connection, &statement).await;
        }
    }
}

/// The partitions of each table that a plan reads.
fn touched(node: &Value, found: &mut BTreeMap<String, BTreeSet<String>>) {
    let is_done = node["Actual Loops"].as_f64().is_none_or(|loops| loops > 0.0);
    let partition = node["Relation Name"].as_str().and_then(|name| name.split_once("_shard_"));
    if let Some((table, shard)) = partition.filter(|_| is_done) {
        found.entry(table.to_owned()).or_default().insert(shard.to_owned());
    }
    for below in node["Plans"].as_array().into_iter().flatten() {
        touched(below, found);
    }
}

fn partitions(plan: &Value) -> usize {
    let mut found = BTreeMap::new();
    touched(plan, &mut found);
    found.values().map(BTreeSet::len).max().unwrap_or(0)
}

async fn partitioned() -> TestDatabase {
    let database = TestDatabase::with_read_models().await;
    let mut connection = PgConnection::connect_with(&database.connect_options()).await.unwrap();
    partition(&mut connection).await;
    explain_all(&database).await
}

#[tokio::test]
async fn each_statement_about_one_shard_touches_one_partition() {
    let database = partitioned().await;
    let again = database.again();
    let heard = Heard::notices();
    let shop = Shop::on(TestLedger::on(database, music_for_sale()).await, "sk_test_shop", |_| false).await;
    exercise_all(&shop).await;
    shop.server.open("regular").await;
    shop.server.grant("regular", 5_000).await;
    deduct(&shop.server, "regular").await;
    let movements = "/v1/analytics/movements?from=2025-01-01&to=2025-02-01&account=regular";
    let page = shop.server.get(movements).send().await;
    assert_eq!(page.status, 200, "{}", page.text);
    shop.settled().await;
    drop(shop);
    // Another start knows no account and no key, so it looks for them.
    let shop = Shop::on(TestLedger::on(again, music_for_sale()).await, "sk_test_shop", |_| false).await;
    deduct(&shop.server, "regular").await;
    let explained = heard.plans();
    assert!(explained.len() > 100, "{} plans", explained.len());
    let of_one = explained.iter().filter(|(text, _)| text.contains("shard = "));
    let wrong: BTreeSet<&str> =
        of_one.filter(|(_, plan)| partitions(plan) > 1).map(|(text, _)| text.as_str()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (what, text) in HOT {
        let text = plain(text).replace("_vN", "_v1");
        assert!(explained.iter().any(|(known, _)| known.contains(&text)), "{what}: {text}");
    }
}

#[tokio::test]
async fn a_statement_without_its_shard_touches_all_partitions() {
    let database = partitioned().await;
    let mut connection = PgConnection::connect_with(&database.connect_options()).await.unwrap();
    for (statement, expected) in [
        ("select from ledger.events where aggregate_id = 'a'", SHARDS.len()),
        ("select from ledger.events where shard = 8 and aggregate_id = 'a'", 1),
        ("select from read.usage where account_id = 'a'", SHARDS.len()),
        ("delete from read.usage_v1 where shard = 1 and account_id = 'a'", 1),
    ] {
        let explain = format!("explain (format json) {statement}");
        let row = sqlx::raw_sql(&explain).fetch_one(&mut connection).await.expect("a plan");
        let plan: Value = row.try_get(0).expect("a plan");
        assert_eq!(partitions(&plan[0]["Plan"]), expected, "{statement}");
    }
}
