//! Does anything rest on a lock or a channel that only the sessions of one node of a database see?
//!
//! Why nothing may is in `docs/decisions/0055-leases.md`.

use std::path::{Path, PathBuf};

use crate::support::statements::{files, without_comments};

/// The names of what only the sessions of one node see, and the files that may use it: an instance migrates at
/// `DATABASE_URL` and nowhere else, and whoever hears nothing looks.
const SEEN_BY_ONE_NODE: [(&str, &[&str]); 5] = [
    ("advisory", &["crates/postgres/src/migrations.rs"]),
    ("pg_notify", &["src/consumer/tell.sql"]),
    ("notify ", &[]),
    ("pglistener", &["src/consumer/tell.rs"]),
    ("listen ", &[]),
];

/// Statements are SQL, or between quotes: prose may name what code may not use.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("a file");
    let is_sql = path.extension().is_some_and(|extension| extension == "sql");
    let code = |line: &str| line.split("//").next().unwrap_or_default().to_lowercase();
    if is_sql {
        without_comments(&text).to_lowercase()
    } else {
        text.lines().map(code).collect::<Vec<_>>().join("\n")
    }
}

/// What is in the code of a file and may not be.
fn found(path: &str, code: &str) -> Vec<&'static str> {
    let is_command = |name: &str| name.ends_with(' ');
    SEEN_BY_ONE_NODE
        .into_iter()
        .filter(|(_, allowed)| !allowed.contains(&path))
        .filter(|(name, _)| {
            // A command is a statement, or the beginning of a literal.
            let begins = |line: &str| line.trim_start().starts_with(name) && path.ends_with(".sql");
            let is_literal = code.contains(&format!("\"{name}"));
            if is_command(name) { is_literal || code.lines().any(begins) } else { code.contains(name) }
        })
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn nothing_rests_on_what_only_one_node_sees() {
    let mut paths: Vec<PathBuf> = Vec::new();
    for directory in ["src", "crates", "projections"] {
        files(Path::new(directory), &mut paths);
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rs" || extension == "sql"));
    assert!(paths.len() > 500, "{} files", paths.len());
    let mut wrong = Vec::new();
    for path in &paths {
        let place = path.display().to_string();
        wrong.extend(found(&place, &code(path)).into_iter().map(|name| format!("{place}: {name}")));
    }
    assert_eq!(wrong, Vec::<String>::new());
    for (name, allowed) in SEEN_BY_ONE_NODE {
        let unused = allowed.iter().find(|path| !code(Path::new(path)).contains(name));
        assert_eq!(unused, None, "does not use {name} any more");
    }
}

#[test]
fn what_rests_on_one_node_is_found() {
    for (path, wrong) in [
        ("src/projector/turn.rs", r#"sqlx::query("select pg_try_advisory_lock($1)")"#),
        ("src/auth/keys/lock.sql", "select pg_advisory_xact_lock($1)"),
        ("src/journal/append.sql", "select pg_notify('counterfoil_events', '')"),
        ("src/journal/append.sql", "notify counterfoil_events"),
        ("src/journal/feed.rs", r#"connection.execute("listen counterfoil_events")"#),
        ("src/journal/feed.rs", "let listener = pglistener::connect_with(pool)"),
    ] {
        assert_eq!(found(path, wrong).len(), 1, "{wrong}");
    }
    for (path, right) in [
        ("crates/postgres/src/migrations.rs", r#""select pg_try_advisory_lock($1)""#),
        ("src/consumer/tell.sql", "select pg_notify($1, $2)"),
        ("src/consumer/bell.rs", "self.some.notify_one(); let rung = bell.listen();"),
        ("src/consumer/renew.sql", "select name from read.leases for update"),
    ] {
        assert_eq!(found(path, right), Vec::<&str>::new(), "{right}");
    }
}
