//! Is every SQL statement in a file beside the code that runs it, and does the database understand it?
//!
//! What is said here of the files is the rule of `docs/decisions/0046-sql-in-files.md`.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use counterfoil::{
    clock::Clock, journal::feed::Feed, postgres::migrations, projections, projector::Projector,
};
use futures::TryStreamExt;
use sqlx::{Connection, Executor, PgConnection};

use crate::support::{
    database::TestDatabase,
    ledger::noon,
    statements::{files, single_spaced, without_comments},
};

/// What a statement begins with.
const BEGINNINGS: [&str; 14] = [
    "select ",
    "insert into ",
    "update ",
    "delete from ",
    "with ",
    "copy ",
    "create ",
    "alter ",
    "drop ",
    "truncate ",
    "lock table",
    "merge into ",
    "call ",
    "grant ",
];

/// What may be in Rust, since it names nothing that a migration could change: the lock of whoever migrates, and the
/// database that the embedded server is given.
const NAMELESS: [&str; 3] = ["select pg_try_advisory_", "select pg_sleep(", "create database {DATABASE}"];

/// What takes the place of the words in capitals, which stand for what cannot be a parameter.
const WORDS: [(&str, &str); 6] = [
    ("TABLE", "accounts"),
    ("_vM", "_vN"),
    ("SHARD", "0"),
    ("AFTER", "0"),
    ("UNTIL", "0"),
    ("POSITIONS", "0, 1"),
];

/// A version that no read model has, for what makes and drops tables.
const NEW_VERSION: &str = "_v77";

fn all_files(extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for directory in ["src", "crates", "projections"] {
        files(Path::new(directory), &mut found);
    }
    found.retain(|path| path.extension().is_some_and(|its| its == extension));
    found.sort();
    found
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The literals of a source file, without escapes and line ends, and without those of its own tests.
fn literals(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
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

/// Whether a literal is SQL, or a part of it, that should be in a file.
fn is_sql(literal: &str) -> bool {
    let text = single_spaced(literal);
    let lower = text.to_lowercase();
    let is_prose = lower.starts_with("with ") && !lower.contains(" as (");
    let begins = BEGINNINGS.iter().any(|begin| lower.starts_with(begin)) && !is_prose;
    let names_a_table = ["from", "into", "join", "update", "table", "view", "copy"]
        .iter()
        .any(|word| ["ledger", "read"].iter().any(|schema| lower.contains(&format!("{word} {schema}."))));
    let is_nameless = NAMELESS.iter().any(|known| text.starts_with(known));
    (begins || names_a_table) && !is_nameless
}

/// The SQL in a source file.
fn inline(source: &str) -> Vec<String> {
    literals(source).into_iter().filter(|literal| is_sql(literal)).collect()
}

/// The `.sql` files that a source file reads, as it names them.
fn read_by(source: &str) -> Vec<&str> {
    let after = source.split("include_str!(").skip(1);
    after.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next()).collect()
}

/// A statement with what takes the place of its words in capitals, for the first version of read models.
fn filled(statement: &str) -> String {
    let mut filled = statement.to_owned();
    for (word, value) in WORDS {
        filled = filled.replace(word, value);
    }
    let beginning = single_spaced(&filled);
    let is_of_tables = ["create table", "drop table"].iter().any(|begin| beginning.starts_with(begin));
    filled.replace("_vN", if is_of_tables { NEW_VERSION } else { "_v1" })
}

/// Has the database look at a statement. Nothing stays of one that cannot only be prepared. The connection is one of
/// its own, since the driver cannot use one again whose copy was refused.
async fn check(database: &TestDatabase, statement: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(&database.connect_options()).await?;
    let statement = filled(&without_comments(statement));
    let beginning = single_spaced(&statement);
    if beginning.ends_with("from stdin (format binary)") {
        return connection.copy_in_raw(&statement).await?.abort("it was understood").await;
    }
    if beginning.starts_with("copy ") {
        #[expect(clippy::disallowed_methods, reason = "all of the answer is read")]
        return connection.copy_out_raw(&statement).await?.try_for_each(|_| async { Ok(()) }).await;
    }
    if beginning.starts_with("create ") || beginning.starts_with("drop ") {
        let mut transaction = connection.begin().await?;
        sqlx::raw_sql(&statement).execute(&mut *transaction).await?;
        return transaction.rollback().await;
    }
    connection.prepare(&statement).await.map(|_| ())
}

/// A database as it is after a start of the program, with the functions that Citus would add.
async fn started() -> TestDatabase {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    sqlx::raw_sql(include_str!("../support/citus_stub.sql")).execute(&pool).await.expect("the stand-in");
    migrations::run(&database.connect_options(), None).await.expect("the tables are put to their nodes");
    let feed = Feed::new(pool.clone());
    Projector::open(pool, feed, projections::all(), Clock::fixed(noon())).await.expect("it opens");
    database
}

#[tokio::test]
async fn each_statement_is_understood_by_the_migrated_database() {
    let database = started().await;
    let mut wrong = Vec::new();
    let statements = all_files("sql");
    assert!(statements.len() > 180, "{} statements", statements.len());
    for path in statements {
        if let Err(error) = check(&database, &text(&path)).await {
            wrong.push(format!("{}: {error}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_statement_that_the_database_does_not_understand_is_found() {
    let database = started().await;
    for wrong in [
        "select nothing from ledger.events",
        "select position from ledger.event",
        "select position from ledger.events where shard = $1 and aggregate_id = $1",
        "update ledger.events sett position = 1",
        "insert into read.accounts_vN (nothing) values ($1)",
        "select nothing from read.TABLE_vN",
        "select nothing from read.accounts_vM",
        "copy read.accounts_vN (nothing) from stdin (format binary)",
        "copy (select nothing from ledger.events where shard = SHARD) to stdout (format binary)",
        "create table read.accounts_vN (account_id nothing)",
        "drop table if exist read.TABLE_vN",
        "create or replace view read.TABLE as select nothing from read.TABLE_vN",
    ] {
        assert!(check(&database, wrong).await.is_err(), "{wrong}");
    }
    for right in [
        "-- What is there?\nselect position from ledger.events where shard = $1",
        "copy read.accounts_vN (account_id) from stdin (format binary)",
        "create table read.accounts_vN (account_id text)",
        "drop table if exists read.TABLE_vN",
    ] {
        check(&database, right).await.unwrap_or_else(|error| panic!("{right}: {error}"));
    }
    let made =
        "select to_regclass('read.accounts_v77') is null and to_regclass('read.accounts_v1') is not null";
    let is_as_before: bool = sqlx::query_scalar(made).fetch_one(&database.pool()).await.expect("an answer");
    assert!(is_as_before, "nothing stays of what is looked at");
}

#[test]
fn no_statement_is_inside_of_rust() {
    let mut found = Vec::new();
    for path in all_files("rs") {
        found
            .extend(inline(&text(&path)).into_iter().map(|literal| format!("{}: {literal}", path.display())));
    }
    assert!(found.is_empty(), "a statement has a file of its own:\n{}", found.join("\n"));
}

#[test]
fn a_statement_inside_of_rust_is_found() {
    for wrong in [
        r#"sqlx::query("select 1 from ledger.heads")"#,
        r#"sqlx::query("SELECT 1")"#,
        r#"let base = "update ledger.mode \
            set mode = $1";"#,
        r#"format!("delete from {table}")"#,
        r#"format!("with one as ({}) select * from one")"#,
        r#"query.push(" join read.accounts using (account_id)")"#,
        r#"copy("copy read.accounts from stdin")"#,
    ] {
        assert_eq!(inline(wrong).len(), 1, "{wrong}");
    }
    for right in [
        r#"sqlx::query("select pg_try_advisory_lock($1)")"#,
        r#"sqlx::query(include_str!("select.sql"))"#,
        r#"tracing::info!("with {status} from there")"#,
        r#"// sqlx::query("select 1 from ledger.heads")"#,
        r#"raw_sql("set local statement_timeout = 0")"#,
    ] {
        assert_eq!(inline(right), Vec::<String>::new(), "{right}");
    }
}

#[test]
fn each_statement_is_run_by_a_file_beside_it() {
    let mut read = BTreeSet::new();
    let mut wrong = Vec::new();
    for path in all_files("rs") {
        let source = text(&path);
        for name in read_by(&source).into_iter().filter(|name| name.ends_with(".sql")) {
            if name.contains('/') {
                wrong.push(format!("{} reads {name}, which is not beside it", path.display()));
            }
            read.insert(path.with_file_name(name));
        }
    }
    let unread = all_files("sql").into_iter().filter(|path| !read.contains(path));
    wrong.extend(unread.map(|path| format!("nothing reads {}", path.display())));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        read_by("query(include_str!(\n  \"one.sql\"),\n include_str!(\"two.sql\"))"),
        ["one.sql", "two.sql"]
    );
}

#[test]
fn each_statement_begins_with_what_it_answers() {
    let says =
        |text: &str| text.lines().next().is_some_and(|line| line.starts_with("-- ") && line.len() > 10);
    let silent = all_files("sql").into_iter().filter(|path| !says(&text(path)));
    let silent: Vec<String> = silent.map(|path| path.display().to_string()).collect();
    assert!(silent.is_empty(), "without a first line that says what it answers:\n{}", silent.join("\n"));
}
