//! Which statements does the program have? Every text in its sources that begins like one.

use std::{collections::BTreeSet, path::Path};

use counterfoil::journal::row::COLUMNS;
use serde_json::Value;
use sqlx::{Executor, PgConnection, Row};

/// What a statement begins with that looks rows up, or changes them.
const BEGINNINGS: [&str; 5] = ["select ", "insert into ", "update ", "delete from ", "with "];

/// A statement, and where it is.
#[derive(Debug)]
pub struct Statement {
    pub place: String,
    /// With single spaces between words.
    pub text: String,
    /// Without comments.
    sql: String,
}

/// Tables that stay small, however much there is in the ledger: of one row, or of one for each catalog, price, read
/// model, night or fault.
const SMALL: [&str; 11] = [
    "mode",
    "readiness",
    "heads",
    "projections",
    "checkpoints",
    "parked",
    "catalogs",
    "catalog_changes",
    "price_ids",
    "stripe_reconciliations",
    "pg_database",
];

/// What goes through a whole table by what it is for, once a night, or when an operator asks for it.
const WHOLE: [(&str, &str, &str); 6] = [
    ("totals.sql", "", "two versions of a read model are compared"),
    ("projector/compare.rs", "", "two versions of a read model are compared"),
    (
        "app/catalogs.rs",
        "select plan, count(*)",
        "at a start: is anybody on a plan that is not sold any more?",
    ),
    ("keys/table.rs", "select exists", "at a start: is there any key? The first one answers"),
    ("keys/table.rs", "select id from ledger.api_keys", "at a start: which keys were replaced?"),
    ("keys/table.rs", "update ledger.api_keys set prefix", "at a start: prefixes of earlier releases"),
];

fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The literals of a source file, without escapes and line ends.
fn literals(source: &str) -> Vec<String> {
    let mut literals = Vec::new();
    let mut characters = source.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '/' if characters.peek() == Some(&'/') => {
                characters.by_ref().find(|character| *character == '\n');
            }
            // A character, which may be a quote.
            '\'' if characters.next() == Some('\\') => {
                characters.next();
            }
            '"' => {
                let mut literal = String::new();
                while let Some(character) = characters.next().filter(|character| *character != '"') {
                    if character != '\\' {
                        literal.push(character);
                        continue;
                    }
                    match characters.next() {
                        Some('\n') => literal.push(' '),
                        Some(escaped) => literal.push(escaped),
                        None => break,
                    }
                }
                literals.push(literal);
            }
            _ => {}
        }
    }
    literals
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn is_statement(text: &str) -> bool {
    let begins = BEGINNINGS.iter().any(|begin| text.starts_with(begin));
    let is_prose = text.starts_with("with ") && !text.contains(" as ");
    begins && !is_prose && (text.contains('$') || text.contains(" from "))
}

fn files(directory: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Every statement of the program.
pub fn all() -> Vec<Statement> {
    let mut paths = Vec::new();
    for directory in ["src", "crates", "projections"] {
        files(Path::new(directory), &mut paths);
    }
    paths.sort();
    let mut statements = Vec::new();
    for path in paths {
        let place = path.display().to_string();
        let source = std::fs::read_to_string(&path).unwrap_or_default();
        let texts = match path.extension().and_then(|extension| extension.to_str()) {
            // The sandbox has no database, and load is put on one by benchmarks alone.
            Some("rs") if !place.starts_with("crates/sandbox") => {
                let tests = source.find("#[cfg(test)]").unwrap_or(source.len());
                literals(source.get(..tests).unwrap_or_default())
            }
            Some("sql") => vec![source],
            _ => Vec::new(),
        };
        let statement = |text: &String| Statement {
            place: place.clone(),
            text: single_spaced(text),
            sql: single_spaced(&without_comments(text)),
        };
        statements.extend(texts.iter().map(statement).filter(|statement| is_statement(&statement.sql)));
    }
    statements
}

/// The parts of a text between what is put in while the program runs.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    for character in text.chars() {
        match character {
            '{' => {
                depth += 1;
                parts.push(String::new());
            }
            '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => parts.last_mut().expect("one").push(character),
            _ => {}
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| part.len() > 8).collect()
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
    let is_heard = |statement: &Statement| {
        let parts = parts(&statement.text);
        heard.iter().any(|text| parts.iter().all(|part| text.contains(part.as_str())))
    };
    all().into_iter().filter(|statement| !is_heard(statement)).collect()
}

/// How PostgreSQL would look for the rows of a statement whose parameters it does not know: the tables that it would
/// read whole. `None`: the statement is put together while the program runs.
async fn read_whole(
    connection: &mut PgConnection,
    statement: &Statement,
    tables: &[String],
    partial: &[String],
) -> Option<Vec<String>> {
    let mut text = statement.sql.replace("{COLUMNS}", COLUMNS);
    for table in tables {
        let (name, version) = table.rsplit_once("_v").expect("a version");
        text = text.replace(&format!("read.{name}_vN"), &format!("read.{name}_v{version}"));
        // Names of constraints and of columns' types have the version too.
        text = text.replace("_vN", &format!("_v{version}"));
    }
    if text.contains('{') && !text.contains("#>> '{") {
        return None;
    }
    let prepare = format!("prepare statement as {text}");
    if let Err(error) = connection.execute(prepare.as_str()).await {
        return Some(vec![format!("{error}")]);
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
    Some(whole)
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
        let is_of = |(place, begin, _): &&(&str, &str, &str)| {
            statement.place.ends_with(place) && statement.sql.starts_with(begin)
        };
        if WHOLE.iter().any(|whole| is_of(&whole)) {
            continue;
        }
        match read_whole(connection, statement, &tables, &partial).await {
            None => found.push(format!("{} is not heard: {}", statement.place, statement.text)),
            Some(whole) => {
                let grows = |table: &String| !SMALL.contains(&table.as_str());
                if let Some(table) = whole.iter().find(|table| grows(table)) {
                    found.push(format!("{} reads {table} whole: {}", statement.place, statement.text));
                }
            }
        }
    }
    found
}
