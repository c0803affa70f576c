//! Does every statement touch as little as it has to, whatever the database knows of its tables?

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection};

use crate::{
    api::coverage::exercise_all,
    billing::shop::Shop,
    support::{
        database::TestDatabase,
        heard::Heard,
        ledger::{TestLedger, deduct, grant, music_for_sale, open},
    },
};

const EXPLAIN: [(&str, &str); 6] = [
    ("session_preload_libraries", "auto_explain"),
    ("auto_explain.log_min_duration", "0"),
    ("auto_explain.log_analyze", "on"),
    ("auto_explain.log_buffers", "on"),
    ("auto_explain.log_nested_statements", "on"),
    ("auto_explain.log_format", "json"),
];

/// A journal of about so many events, of which the database has no statistics.
async fn filled(events: i64) -> TestDatabase {
    let database = TestDatabase::create().await;
    let mut connection = PgConnection::connect_with(&database.connect_options()).await.unwrap();
    let statement = "select format('alter table %s set (autovacuum_enabled = false)', c.oid::regclass) \
                     from pg_class c where relkind = 'r' and relnamespace::regnamespace::text in ('ledger', 'read')";
    let tables: Vec<String> = sqlx::query_scalar(statement).fetch_all(&mut connection).await.unwrap();
    for table in tables {
        connection.execute(table.as_str()).await.unwrap();
    }
    if events > 0 {
        let pool = counterfoil::postgres::pool::open(database.connect_options(), 2);
        let clock = counterfoil::clock::Clock::fixed(crate::support::ledger::noon());
        let (ledger, running) = crate::support::ledger::start(pool, clock).await;
        open(&ledger, "old").await.unwrap();
        grant(&ledger, "old", 1_000, "grant").await.unwrap();
        for number in 0..47 {
            ledger.execute(deduct("old", 1, &number.to_string())).await.unwrap();
        }
        drop(ledger);
        running.finished().await;
        let copies = events / 50;
        sqlx::query(
            "insert into ledger.events select shard, position + copy * 50, aggregate_type, aggregate_id || '_' || copy, \
             sequence, event_type, event_version, payload, metadata, recorded_at, idempotency_key, leaf_hash \
             from ledger.events, generate_series(1, $1) copy order by 2",
        )
        .bind(copies - 1)
        .execute(&mut connection)
        .await
        .unwrap();
        connection
            .execute("update ledger.heads set position = (select max(position) from ledger.events)")
            .await
            .unwrap();
    }
    for (name, value) in [("auto_explain.log_level", "notice")].iter().chain(&EXPLAIN) {
        let set = format!(
            "do $$ begin execute format('alter database %I set {name} = ''{value}''', current_database()); end $$"
        );
        connection.execute(set.as_str()).await.unwrap();
    }
    database
}

async fn plans(events: i64) {
    let database = filled(events).await;
    let heard = Heard::notices();
    let test = TestLedger::on(database, music_for_sale()).await;
    let shop = Shop::on(test, "sk_test_shop", |_| false).await;
    exercise_all(&shop).await;
    for account in ["old_1", "old_7", "acme"] {
        for number in [0, 46] {
            let path = format!("/v1/accounts/{account}/deductions");
            let call = || shop.server.post(&path, serde_json::json!({ "amount": 1 }));
            let key = number.to_string();
            call().header("idempotency-key", &key).send().await;
            call().header("idempotency-key", &key).send().await;
        }
    }
    let mut worst: BTreeMap<String, (i64, i64, Value)> = BTreeMap::new();
    for line in heard.lines() {
        let message = line["message"].as_str().unwrap();
        let Some((_, plan)) = message.split_once("plan:") else { continue };
        let plan: Value = serde_json::from_str(plan).unwrap();
        let text = plan["Query Text"].as_str().unwrap().to_owned();
        if text.starts_with("copy") {
            continue;
        }
        let root = &plan["Plan"];
        let buffers =
            root["Shared Hit Blocks"].as_i64().unwrap() + root["Shared Read Blocks"].as_i64().unwrap();
        let rows = rows(root);
        let one = worst.entry(text).or_insert((-1, 0, Value::Null));
        if buffers - 10 * rows > one.0 - 10 * one.1 {
            *one = (buffers, rows, root.clone());
        }
    }
    let mut all: Vec<_> = worst.into_iter().collect();
    all.sort_by_key(|(_, (buffers, rows, _))| -(buffers - 10 * rows));
    println!("{} statements", all.len());
    for (text, (buffers, rows, plan)) in all.iter().take(60) {
        if std::env::var("SHOW").is_ok_and(|show| text.contains(&show)) {
            println!("{plan:#}");
        }
        println!(
            "{buffers:>7} {rows:>7} {}",
            text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(260).collect::<String>()
        );
    }
}

/// What it returned or wrote.
fn rows(node: &Value) -> i64 {
    let own = node["Actual Rows"].as_f64().unwrap_or(0.0) as i64;
    if node["Node Type"] == "ModifyTable" { own.max(rows(&node["Plans"][0])) } else { own }
}

#[tokio::test]
async fn look() {
    plans(std::env::var("EVENTS").map_or(0, |events| events.parse().unwrap())).await;
}
