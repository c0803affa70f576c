//! Does every SQL statement read only what it needs?
//!
//! A young database has no statistics, one whose server crashed has lost what it counted, and a large one is where it
//! hurts. All that the program does over HTTP is done on each, and the database explains every statement that it runs.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};

use crate::{
    server::api::coverage::exercise_all,
    support::{
        database::TestDatabase,
        heard::Heard,
        http::Server,
        ledger::{TestLedger, music_for_sale},
        shop::Shop,
        statements,
    },
};

/// So many pages may be read by any statement, and so many more for each row that it returns or writes. Nothing is
/// vacuumed here, so what is over stays in the pages of what waits.
const PAGES: i64 = 160;
const PAGES_A_ROW: i64 = 12;

/// How often everything is there in a large database.
const LARGE: i64 = 150;

/// How long the read models may take for all that is there, with each of their statements explained.
const CATCHES_UP: Duration = Duration::from_secs(120);

/// So many rows may be looked at on the way, and so many more for each row of the answer.
const LOOKED_AT: i64 = 1_500;
const LOOKED_AT_A_ROW: i64 = 24;

/// One statement, as it was run.
struct Run {
    pages: i64,
    looked_at: i64,
    rows: i64,
    plan: Value,
}

impl Run {
    fn of(plan: Value) -> Self {
        Self { pages: pages(&plan), looked_at: looked_at(&plan), rows: rows(&plan), plan }
    }

    fn beyond(&self) -> i64 {
        let pages = self.pages - PAGES - PAGES_A_ROW * self.rows;
        pages.max(self.looked_at - LOOKED_AT - LOOKED_AT_A_ROW * self.rows)
    }
}

/// What its scans read, without what the planner and functions look up for themselves.
fn pages(node: &Value) -> i64 {
    let below: i64 = node["Plans"].as_array().into_iter().flatten().map(pages).sum();
    let is_scan = node["Relation Name"].is_string() && node["Node Type"] != "ModifyTable";
    let read = |name: &str| node[name].as_i64().unwrap_or(0);
    if is_scan { read("Shared Hit Blocks") + read("Shared Read Blocks") } else { below }
}

/// The rows that its nodes had in hand, kept or not.
fn looked_at(node: &Value) -> i64 {
    let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
    let removed = ["Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck"];
    let each = number("Actual Rows") + removed.into_iter().map(number).sum::<f64>();
    let below: i64 = node["Plans"].as_array().into_iter().flatten().map(looked_at).sum();
    below.saturating_add((each * number("Actual Loops")) as i64)
}

/// What it returns or writes, or is asked about.
fn rows(node: &Value) -> i64 {
    let own = node["Actual Rows"].as_f64().unwrap_or(0.0) as i64;
    let written = if node["Node Type"] == "ModifyTable" { rows(&node["Plans"][0]) } else { 0 };
    own.max(written).max(asked_about(node))
}

fn asked_about(node: &Value) -> i64 {
    let below = node["Plans"].as_array().into_iter().flatten().map(asked_about).max().unwrap_or(0);
    let is_list = node["Node Type"] == "Function Scan";
    if is_list { node["Actual Rows"].as_f64().unwrap_or(0.0) as i64 } else { below }
}

/// A plan, a line for each node.
fn drawn(node: &Value, depth: usize) -> String {
    let name = |name: &str| node[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
    let conditions: Vec<String> = ["Index Cond", "Filter", "Recheck Cond", "Join Filter", "Hash Cond"]
        .map(name)
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    let mut lines = format!(
        "{}{} {} {} loops {} rows {} removed {} pages {}  {}\n",
        "  ".repeat(depth),
        name("Node Type"),
        name("Relation Name"),
        name("Index Name"),
        number("Actual Loops"),
        number("Actual Rows"),
        number("Rows Removed by Filter") + number("Rows Removed by Join Filter"),
        number("Shared Hit Blocks") + number("Shared Read Blocks"),
        conditions.join(" | "),
    );
    for below in node["Plans"].as_array().into_iter().flatten() {
        lines += &drawn(below, depth + 1);
    }
    lines
}

/// The worst run of each statement that was heard of.
fn worst(heard: &Heard) -> BTreeMap<String, Run> {
    let mut worst: BTreeMap<String, Run> = BTreeMap::new();
    for (text, plan) in heard.plans() {
        let run = Run::of(plan);
        if worst.get(&text).is_none_or(|known| known.beyond() < run.beyond()) {
            worst.insert(text, run);
        }
    }
    worst
}

async fn run(connection: &mut PgConnection, statement: &str) {
    connection.execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// Nothing is known of any table, for good.
async fn forget_statistics(connection: &mut PgConnection) {
    let statement = "select format('alter table %s set (autovacuum_enabled = false)', oid::regclass) from pg_class \
                     where relkind = 'r' and relnamespace in ('ledger'::regnamespace, 'read'::regnamespace)";
    let statements: Vec<String> = sqlx::query_scalar(statement).fetch_all(&mut *connection).await.unwrap();
    for statement in statements {
        run(connection, &statement).await;
    }
}

/// Columns by which rows differ, in whatever table.
const NAMES: [&str; 13] = [
    "account",
    "aggregate_id",
    "customer",
    "event_id",
    "evidence",
    "hash",
    "id",
    "object",
    "party",
    "payment",
    "stripe_key",
    "subscription",
    "token",
];

/// A key that each account uses again and again.
const USED_BEFORE: &str = "used-before";

/// Everything that is there is there so many times, each time under other names; what was read out of it is read again.
async fn multiply(connection: &mut PgConnection, times: i64) {
    run(connection, "set session_replication_role = replica").await;
    let tables = [
        "events",
        "stripe_inbox",
        "stripe_links",
        "stripe_payments",
        "stripe_calls",
        "stripe_reports",
        "stripe_coupons",
        "api_keys",
        "snapshots",
    ];
    for table in tables {
        let columns: Vec<(String, String)> = sqlx::query_as(
            "select column_name::text, data_type::text from information_schema.columns \
             where table_schema = 'ledger' and table_name = $1 and is_identity = 'NO' and is_generated = 'NEVER'",
        )
        .bind(table)
        .fetch_all(&mut *connection)
        .await
        .unwrap();
        let value = |(name, kind): &(String, String)| match (name.as_str(), kind.as_str()) {
            ("position", _) => "row_number() over (order by copy, position)".to_owned(),
            (name, "bytea") if NAMES.contains(&name) => format!("{name} || convert_to(copy::text, 'UTF8')"),
            // The key that is used again is that of its account; of the others, nobody knows any more.
            ("key_digest", _) => format!(
                "case when key_digest = ledger.key_digest(aggregate_id, 'api:{USED_BEFORE}') \
                 then ledger.key_digest(aggregate_id || '_' || copy, 'api:{USED_BEFORE}') \
                 else md5(key_digest::text || copy)::uuid end"
            ),
            (name, _) if NAMES.contains(&name) => format!("{name} || '_' || copy"),
            (name, _) => name.to_owned(),
        };
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let named = columns.iter().zip(&names).map(|(column, name)| format!("{} as {name}", value(column)));
        let (names, named) = (names.join(", "), named.collect::<Vec<_>>().join(", "));
        // Of the account with the long history, a few are enough.
        let few = if table == "events" { "where aggregate_id <> 'regular' or copy < 5" } else { "" };
        let statements = [
            format!(
                "create temporary table copies as select {named} \
                 from ledger.{table}, generate_series(0, {times} - 1) copy {few} order by copy"
            ),
            format!("truncate ledger.{table}"),
            format!("insert into ledger.{table} ({names}) select {names} from copies"),
            "drop table copies".to_owned(),
        ];
        for statement in statements {
            run(connection, &statement).await;
        }
    }
    run(connection, "update ledger.heads set position = (select max(position) from ledger.events)").await;
    let read: Vec<String> =
        sqlx::query_scalar("select oid::regclass::text from pg_class where relkind = 'r' and relnamespace = 'read'::regnamespace")
            .fetch_all(&mut *connection)
            .await
            .unwrap();
    run(connection, &format!("truncate {}", read.join(", "))).await;
    run(connection, "set session_replication_role = origin").await;
}

/// A database with all that a shop does, so many times, that knows nothing of its tables and explains what it does.
async fn database(times: i64) -> TestDatabase {
    let database = TestDatabase::with_read_models().await;
    let options = database.connect_options();
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    forget_statistics(&mut connection).await;
    let database = if times == 0 {
        database
    } else {
        let shop =
            Shop::on(TestLedger::on(database, music_for_sale()).await, "sk_test_shop", |_| false).await;
        exercise_all(&shop).await;
        shop.server.open("regular").await;
        shop.server.grant("regular", 5_000).await;
        deduct(&shop.server, "regular").await;
        for round in 0..8 {
            deduct_many(&shop.server, "regular", round).await;
        }
        give_back(&shop.server, "regular").await;
        shop.settled().await;
        let database = shop.server.test.database.again();
        drop(shop);
        multiply(&mut connection, times).await;
        database
    };
    explain_all(&database).await
}

/// The same database with new connections, which explain what they do. One that is open already says nothing.
pub(super) async fn explain_all(database: &TestDatabase) -> TestDatabase {
    let mut connection = PgConnection::connect_with(&database.connect_options()).await.unwrap();
    for (name, value) in [
        ("session_preload_libraries", "auto_explain"),
        ("auto_explain.log_min_duration", "0"),
        ("auto_explain.log_analyze", "on"),
        ("auto_explain.log_nested_statements", "on"),
        ("auto_explain.log_buffers", "on"),
        ("auto_explain.log_format", "json"),
        ("auto_explain.log_level", "notice"),
    ] {
        let set =
            "do $do$ begin execute format('alter database %I set SETTING', current_database()); end $do$";
        run(&mut connection, &set.replace("SETTING", &format!("{name} = ''{value}''"))).await;
    }
    database.again()
}

/// A deduction with the same key in each of these accounts.
pub(super) async fn deduct(server: &Server, account: &str) {
    let path = format!("/v1/accounts/{account}/deductions");
    let call = server.post(&path, json!({ "amount": 1 })).header("idempotency-key", USED_BEFORE);
    let answer = call.send().await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

/// Many at once, each with a key of its own.
async fn deduct_many(server: &Server, account: &str, round: usize) {
    let key = |number: usize| format!("{round}_{number}");
    let one = |number| json!({ "command": "deduct", "account": account, "amount": 1, "idempotency_key": key(number) });
    let answer = server.post("/v1/commands", json!((0..200).map(one).collect::<Vec<Value>>())).send().await;
    let mut answers = answer.body.as_array().expect("a list").iter();
    assert!(answers.all(|one| one["status"] == 201), "{}", answer.text);
}

/// Work that is charged, held for and given back, in an account that has a long history.
async fn give_back(server: &Server, account: &str) {
    let post = async |path: &str, body: Value| {
        let answer = server.post(&format!("/v1/accounts/{account}/{path}"), body).send().await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        answer.body
    };
    let work = format!("work_{}", uuid::Uuid::new_v4());
    let held = post("holds", json!({ "amount": 2, "generation_id": work })).await;
    let hold = held["hold_id"].as_str().expect("a hold");
    post(&format!("holds/{hold}/commit"), json!({ "amount": 3, "excess": "take" })).await;
    post("refunds", json!({ "deduction_id": hold, "amount": 1, "reason": "failed" })).await;
    post("refunds", json!({ "generation_id": work, "reason": "failed" })).await;
    // The same work again under another key, and other work under its name.
    let priced = json!({ "type": "standard_generation", "generation_id": work });
    post("generations", priced.clone()).await;
    post("generations", priced).await;
}

/// What is asked of accounts that nobody has asked of since the server started, with keys that were used before.
async fn ask_again(server: &Server, times: i64) {
    for copy in 0..times.min(5) {
        let account = format!("regular_{copy}");
        deduct(server, &account).await;
        deduct_many(server, &account, 0).await;
        give_back(server, &account).await;
        server.get(&format!("/v1/accounts/{account}/balance")).send().await;
        server.get(&format!("/v1/accounts/{account}/statement?limit=5")).send().await;
    }
}

async fn touches_little(times: i64) {
    let database = database(times).await;
    let heard = Heard::notices();
    let shop = Shop::on(TestLedger::on(database, music_for_sale()).await, "sk_test_shop", |_| false).await;
    // What was there is read by the read models first.
    shop.until_within(CATCHES_UP, "/v1/projections", |models| {
        let models = models["projections"].as_array().expect("read models");
        models.iter().all(|model| model["lag_events"] == 0)
    })
    .await;
    exercise_all(&shop).await;
    ask_again(&shop.server, times).await;
    shop.resolve().await;
    let worst = worst(&heard);
    assert_eq!(
        worst.keys().any(|text| text.starts_with("select wanted.number")),
        times > 0,
        "a key that was used before"
    );
    if let Ok(shown) = std::env::var("PLANS") {
        let mut all: Vec<_> = worst.iter().collect();
        all.sort_by_key(|(_, run)| -run.beyond());
        for (text, run) in all.iter().take(40) {
            let begin: String = text.chars().take(200).collect();
            println!("{:>7} {:>7} {:>6} {begin}", run.pages, run.looked_at, run.rows);
            if !shown.is_empty() && text.contains(&shown) {
                println!("{}", drawn(&run.plan, 0));
            }
        }
    }
    assert!(worst.len() > 80, "{} statements were explained", worst.len());
    let is_whole = |text: &str| statements::WHOLE_ANSWERS.iter().any(|(begin, _)| text.starts_with(begin));
    let beyond = worst.iter().filter(|(text, run)| run.beyond() > 0 && !is_whole(text));
    let beyond: Vec<String> = beyond
        .map(|(text, run)| {
            format!(
                "{} pages, {} rows looked at for {}: {text}\n{}",
                run.pages,
                run.looked_at,
                run.rows,
                drawn(&run.plan, 1)
            )
        })
        .collect();
    assert!(beyond.is_empty(), "{}", beyond.join("\n"));
    if times == LARGE {
        let mut connection =
            PgConnection::connect_with(&shop.server.test.database.connect_options()).await.unwrap();
        run(&mut connection, "set auto_explain.log_min_duration = -1").await;
        let unheard = statements::unheard(worst.keys());
        let whole = statements::through_whole_tables(&mut connection, &unheard).await;
        assert!(whole.is_empty(), "{}", whole.join("\n"));
    }
}

#[tokio::test]
async fn in_an_empty_database_each_statement_touches_little() {
    touches_little(0).await;
}

#[tokio::test]
async fn in_a_young_database_without_statistics_each_statement_touches_little() {
    touches_little(15).await;
}

#[tokio::test]
async fn in_a_large_database_without_statistics_each_statement_touches_little() {
    touches_little(LARGE).await;
}
