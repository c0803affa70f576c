//! Which SQL statements does the program have? Its `.sql` files.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde_json::Value;
use sqlx::{Executor, PgConnection, Row};

/// What a statement begins with that looks rows up, or changes them.
const BEGINNINGS: [&str; 5] = ["select ", "insert into ", "update ", "delete from ", "with "];

/// A statement, and where it is.
#[derive(Debug)]
pub struct Statement {
    pub place: String,
    /// Without comments, and with single spaces between words.
    sql: String,
}

/// Tables that stay small, however much is in the ledger: of one row, or of one for each month, catalog, price, growth,
/// read model, night, fault or migration; and PostgreSQL's own of tables, triggers, roles and databases.
const SMALL: [&str; 21] = [
    "credits_months",
    "deferred_months",
    "mrr_months",
    "mrr_restated_months",
    "instances",
    "mode",
    "readiness",
    "heads",
    "shardings",
    "projections",
    "checkpoints",
    "parked",
    "catalogs",
    "catalog_changes",
    "price_ids",
    "stripe_reconciliations",
    "_sqlx_migrations",
    "pg_authid",
    "pg_class",
    "pg_database",
    "pg_trigger",
];

/// What goes through a whole table by what it is for, once a night, or when an operator asks for it.
const WHOLE: [(&str, &str); 8] = [
    ("totals.sql", "two versions of a read model are compared"),
    ("projector/compare.sql", "two versions of a read model are compared"),
    ("projector/count_rows.sql", "two versions of a read model are compared"),
    ("app/accounts_by_plan.sql", "at a start: is anybody on a plan that is not sold any more?"),
    ("src/placement/", "at a start, and only where Citus is"),
    ("keys/any.sql", "at a start: is there any key? The first one answers"),
    ("keys/earlier.sql", "at a start: which keys were replaced?"),
    ("keys/forget_beginnings.sql", "at a start: prefixes of earlier releases"),
];

/// What goes through a whole table to answer what was asked, by its beginning.
pub const WHOLE_ANSWERS: [(&str, &str); 11] = [
    // A small table is read as a whole, and a large one in the order of its key, as far as the page goes.
    ("select account_id, sum(minor)::text", "what money of all accounts was ever deferred"),
    ("select cohort.month, cohort.currency", "all accounts that first paid in some months"),
    ("select cohort.shard, cohort.account_id", "all accounts that first paid in a month"),
    ("select place, currency, coalesce(sum(at_end", "whatever moved on the days of a figure"),
    ("select place, currency, cause, count(*)", "whatever moved on the days of a figure"),
    (
        "select shard, account_id, currency, at_start as mrr_at_start",
        "whatever moved on the days of a figure",
    ),
    ("select span.place, moved.currency, moved.cause", "all churn on the days of a figure"),
    ("select currency, sum(mrr)::bigint", "who is past due or set to end now"),
    ("select e.aggregate_id, min(e.position)", "an auditor asks whether any account has no beginning"),
    ("select state, (select count(*)", "how many events are not over"),
    // Or all accounts in their order: what is less, PostgreSQL knows only of tables that it has looked at.
    (
        "select account_id, sum(count)::bigint as count, sum(available)",
        "whatever happened on the days of a figure",
    ),
];

pub fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The statement of a text, without comments and with single spaces between words.
pub fn plain(text: &str) -> String {
    single_spaced(&without_comments(text))
}

pub fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Every statement of the program that looks rows up, or changes them.
pub fn all() -> Vec<Statement> {
    let mut paths = Vec::new();
    for directory in ["src", "crates", "projections"] {
        files(Path::new(directory), &mut paths);
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    paths.sort();
    let statement = |path: &PathBuf| {
        let sql = plain(&std::fs::read_to_string(path).unwrap_or_default());
        Statement { place: path.display().to_string(), sql }
    };
    let is_of_rows = |statement: &Statement| BEGINNINGS.iter().any(|begin| statement.sql.starts_with(begin));
    paths.iter().map(statement).filter(is_of_rows).collect()
}

/// Versions of tables by one name: `read.usage_v3` is `read.usage_vN` in the sources.
fn without_versions(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_v") {
        let (before, after) = rest.split_at(at + 2);
        let digits = after.chars().take_while(char::is_ascii_digit).count();
        result.push_str(before);
        result.push_str(if digits > 0 { "N" } else { "" });
        rest = &after[digits..];
    }
    result + rest
}

/// The statements that were not among those that were heard.
pub fn unheard<'a>(heard: impl Iterator<Item = &'a String>) -> Vec<Statement> {
    let heard: BTreeSet<String> = heard.map(|text| without_versions(text)).collect();
    all().into_iter().filter(|statement| !heard.contains(&statement.sql)).collect()
}

/// How PostgreSQL would look for the rows of a statement whose parameters it does not know: the tables that it would
/// read whole.
async fn read_whole(
    connection: &mut PgConnection,
    statement: &Statement,
    tables: &[String],
    partial: &[String],
) -> Vec<String> {
    let mut text = statement.sql.clone();
    for table in tables {
        let (name, version) = table.rsplit_once("_v").expect("a version");
        text = text.replace(&format!("read.{name}_vN"), &format!("read.{name}_v{version}"));
        // Names of constraints and of columns' types have the version too.
        text = text.replace("_vN", &format!("_v{version}"));
    }
    let prepare = format!("prepare statement as {text}");
    if let Err(error) = connection.execute(prepare.as_str()).await {
        return vec![format!("{error}")];
    }
    let parameters: i32 =
        sqlx::query_scalar("select coalesce(cardinality(parameter_types), 0) from pg_prepared_statements where name = 'statement'")
            .fetch_one(&mut *connection)
            .await
            .expect("it is prepared");
    let nothing = vec!["null"; usize::try_from(parameters).expect("a count")].join(", ");
    let nothing = if parameters == 0 { String::new() } else { format!("({nothing})") };
    let explain = format!("explain (format json) execute statement{nothing}");
    let row = sqlx::raw_sql(&explain).fetch_one(&mut *connection).await.expect(&statement.place);
    connection.execute("deallocate statement").await.expect("allowed");
    let plan: Value = row.try_get(0).expect("a plan");
    let mut whole = Vec::new();
    collect_whole(&plan[0]["Plan"], partial, &mut whole);
    whole
}

/// An index that has but the rows that are looked for may be read whole.
fn collect_whole(node: &Value, partial: &[String], whole: &mut Vec<String>) {
    let is_partial =
        node["Index Name"].as_str().is_some_and(|name| partial.iter().any(|known| known == name));
    let by_nothing = !is_partial && !node["Index Cond"].is_string() && !node["Recheck Cond"].is_string();
    let is_scan = node["Node Type"] == "Seq Scan"
        || (node["Node Type"].as_str().is_some_and(|kind| kind.starts_with("Index")) && by_nothing);
    if let Some(table) = node["Relation Name"].as_str().filter(|_| is_scan) {
        whole.push(table.to_owned());
    }
    for below in node["Plans"].as_array().into_iter().flatten() {
        collect_whole(below, partial, whole);
    }
}

/// Those of the statements that would go through a table that grows, with a reason.
pub async fn through_whole_tables(connection: &mut PgConnection, statements: &[Statement]) -> Vec<String> {
    connection.execute("set plan_cache_mode = force_generic_plan").await.expect("allowed");
    let tables: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relkind = 'r' and relnamespace = 'read'::regnamespace \
         and relname ~ '_v[0-9]+$'",
    )
    .fetch_all(&mut *connection)
    .await
    .expect("listed");
    let partial: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_index join pg_class on pg_class.oid = indexrelid where indpred is not null",
    )
    .fetch_all(&mut *connection)
    .await
    .expect("listed");
    let mut found = Vec::new();
    for statement in statements {
        if WHOLE.iter().any(|(place, _)| statement.place.contains(place)) {
            continue;
        }
        let whole = read_whole(connection, statement, &tables, &partial).await;
        let grows = |table: &String| !SMALL.contains(&table.as_str());
        if let Some(table) = whole.iter().find(|table| grows(table)) {
            found.push(format!("{} reads {table} whole: {}", statement.place, statement.sql));
        }
    }
    found
}
