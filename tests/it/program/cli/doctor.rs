//! Does `counterfoil doctor` pass a database that is as it should be, and name exactly what is not?

use std::{collections::BTreeMap, path::Path, process::Output};

use counterfoil::postgres::{self, DATABASE, Durability, Server, ServerOptions};
use serde_json::Value;
use sqlx::{ConnectOptions, Connection, Executor, postgres::PgConnectOptions};

use crate::support::{
    Scratch,
    pages::{first_cells, page, section},
    program::{self, Served},
};

/// What depends on the machine and the day, and not on how the server is set.
const MEASURED: [&str; 5] = ["version", "round_trip", "commit", "clock", "room"];

/// What is not well, without what is measured, by the names of the checks.
fn wrong(report: &Value) -> BTreeMap<String, String> {
    let findings = report["findings"].as_array().expect("a list").iter();
    let text = |finding: &Value, field: &str| finding[field].as_str().expect(field).to_owned();
    findings
        .map(|finding| (text(finding, "check"), text(finding, "level")))
        .filter(|(check, level)| level != "ok" && !MEASURED.contains(&check.as_str()))
        .collect()
}

fn finding<'a>(report: &'a Value, check: &str) -> &'a Value {
    let findings = report["findings"].as_array().expect("a list");
    findings.iter().find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("{check}: {report:#}"))
}

/// Runs a command on the embedded database of a directory.
fn embedded(directory: &Path, arguments: &[&str]) -> Output {
    program::run(program::command(arguments).env("COUNTERFOIL_DATA_DIR", directory))
}

/// A server that somebody else runs, as far as the program knows.
struct Elsewhere {
    server: Server,
    _scratch: Scratch,
}

impl Elsewhere {
    async fn start(durability: Durability) -> Self {
        let elsewhere = Self::start_empty(durability).await;
        let migrated = elsewhere.run(&["migrate"]);
        assert_eq!(program::code(&migrated), 0, "{}", program::stderr(&migrated));
        elsewhere
    }

    async fn start_empty(durability: Durability) -> Self {
        let scratch = Scratch::create();
        let options = ServerOptions {
            data_directory: scratch.path().to_owned(),
            binaries: None,
            durability,
            max_connections: 100,
        };
        let server = postgres::start(options).await.expect("it starts");
        Self { server, _scratch: scratch }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        run_as(&self.server.connect_options(DATABASE), arguments)
    }

    /// Changes something with all rights.
    async fn change(&self, change: &str) {
        let mut connection = self.server.connect_options(DATABASE).connect().await.expect("it answers");
        connection.execute(change).await.unwrap_or_else(|error| panic!("{change}: {error}"));
        connection.close().await.expect("it ends");
    }

    /// Changes something, and returns what is not well then, with the exit code.
    async fn after(&self, change: &str) -> (Vec<(String, String)>, i32) {
        self.change(change).await;
        let examined = self.run(&["--json", "doctor"]);
        (wrong(&program::json(&examined)).into_iter().collect(), program::code(&examined))
    }
}

fn run_as(login: &PgConnectOptions, arguments: &[&str]) -> Output {
    program::run(program::command(arguments).env("DATABASE_URL", login.to_url_lossy().as_str()))
}

/// What is not well by the eyes of a login, the whole report, and the exit code.
fn examined_by(login: &PgConnectOptions) -> (Vec<(String, String)>, Value, i32) {
    let examined = run_as(login, &["--json", "doctor"]);
    let report = program::json(&examined);
    (wrong(&report).into_iter().collect(), report, program::code(&examined))
}

fn found<'a>(report: &'a Value, check: &str) -> &'a str {
    finding(report, check)["found"].as_str().expect("a text")
}

/// The function that refuses changes, as the migration makes it.
const REFUSAL: &str =
    "create or replace function ledger.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'ledger.% is append-only', tg_table_name using errcode = 'CF002';
end
$$";

/// What is changed, the check that finds it, how bad it is, and what undoes it.
const CHANGES: [(&str, &str, &str, &str); 18] = [
    (
        "alter database counterfoil set synchronous_commit = off",
        "synchronous_commit",
        "fault",
        "alter database counterfoil reset synchronous_commit",
    ),
    (
        "alter role counterfoil set work_mem = '64kB'",
        "work_mem",
        "advice",
        "alter role counterfoil reset work_mem",
    ),
    (
        "alter role counterfoil set random_page_cost = 4.5",
        "random_page_cost",
        "advice",
        "alter role counterfoil reset random_page_cost",
    ),
    (
        "alter role counterfoil set default_transaction_read_only = on",
        "writable",
        "fault",
        "begin read write; alter role counterfoil reset default_transaction_read_only; commit",
    ),
    (
        "grant update on ledger.events to counterfoil_service",
        "append_only",
        "fault",
        "revoke update on ledger.events from counterfoil_service",
    ),
    (
        "grant update (payload) on ledger.events to counterfoil_service",
        "append_only",
        "fault",
        "revoke update (payload) on ledger.events from counterfoil_service",
    ),
    (
        "create role writer; grant update on ledger.events to writer; \
         alter role counterfoil_service noinherit; grant writer to counterfoil_service",
        "append_only",
        "fault",
        "alter role counterfoil_service inherit; drop owned by writer; drop role writer",
    ),
    (
        "grant counterfoil to counterfoil_service",
        "append_only",
        "fault",
        "revoke counterfoil from counterfoil_service",
    ),
    (
        "create or replace function ledger.refuse_change() returns trigger language plpgsql as \
         $$ begin return null; end $$",
        "append_only",
        "fault",
        REFUSAL,
    ),
    (
        "alter function ledger.refuse_change() owner to counterfoil_service",
        "append_only",
        "fault",
        "alter function ledger.refuse_change() owner to counterfoil",
    ),
    (
        "create or replace trigger events_append_only before truncate on ledger.events \
         for each statement execute function ledger.refuse_change()",
        "append_only",
        "fault",
        "create or replace trigger events_append_only before update or delete or truncate on ledger.events \
         for each statement execute function ledger.refuse_change()",
    ),
    (
        "alter database counterfoil set session_replication_role = replica",
        "append_only",
        "fault",
        "alter database counterfoil reset session_replication_role",
    ),
    (
        "alter role counterfoil set search_path = nowhere",
        "migrations",
        "fault",
        "alter role counterfoil reset search_path",
    ),
    (
        "create schema aside; alter role counterfoil set search_path = aside, public",
        "migrations",
        "fault",
        "drop schema aside; alter role counterfoil reset search_path",
    ),
    (
        "alter table ledger.blocks disable trigger blocks_append_only",
        "append_only",
        "fault",
        "alter table ledger.blocks enable trigger blocks_append_only",
    ),
    (
        "drop trigger sharding_filters_append_only on ledger.sharding_filters",
        "append_only",
        "fault",
        "create trigger sharding_filters_append_only before update or delete or truncate on ledger.sharding_filters \
         for each statement execute function ledger.refuse_change()",
    ),
    (
        "alter table ledger.events reset (autovacuum_freeze_min_age)",
        "journal_vacuum",
        "advice",
        "alter table ledger.events set (autovacuum_freeze_min_age = 0)",
    ),
    (
        "update _sqlx_migrations set version = version - 9000 where version = 36",
        "migrations",
        "fault",
        "update _sqlx_migrations set version = 36 where version = 36 - 9000",
    ),
];

fn only(check: &str, level: &str) -> Vec<(String, String)> {
    vec![(check.to_owned(), level.to_owned())]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_database_passes_with_and_without_a_server_beside_it() {
    let scratch = Scratch::create();
    assert_eq!(program::code(&embedded(scratch.path(), &["migrate"])), 0);
    let alone = embedded(scratch.path(), &["--json", "doctor"]);
    assert_eq!(program::code(&alone), 0, "{}", program::stderr(&alone));
    let report = program::json(&alone);
    assert_eq!(wrong(&report), BTreeMap::new(), "{report:#}");
    assert_eq!(report["faults"], 0);

    let checks: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|one| one["check"].as_str().unwrap()).collect();
    let documented = page("docs/DATABASE.md");
    assert_eq!(first_cells(section(&documented, "## The checks")), checks);
    for one in report["findings"].as_array().unwrap() {
        assert!(!one["found"].as_str().unwrap().is_empty() && one["why"].is_string(), "{one}");
    }
    assert!(finding(&report, "room")["found"].as_str().unwrap().contains(" are free"), "{report:#}");
    assert_eq!(finding(&report, "max_wal_size")["advised"], "at least 2GB");

    let served = Served::embedded(scratch.path());
    let beside = embedded(scratch.path(), &["--json", "doctor"]);
    assert_eq!(program::code(&beside), 0, "{}", program::stderr(&beside));
    assert_eq!(wrong(&program::json(&beside)), BTreeMap::new());
    assert_eq!(served.stop().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_tables_is_left_as_it_is() {
    let scratch = Scratch::create();
    let options = ServerOptions {
        data_directory: scratch.path().to_owned(),
        binaries: None,
        durability: Durability::On,
        max_connections: 100,
    };
    postgres::start(options).await.expect("it starts").stop().await;
    for _ in 0..2 {
        let examined = embedded(scratch.path(), &["--json", "doctor"]);
        assert_eq!(program::code(&examined), 0, "{}", program::stderr(&examined));
        let report = program::json(&examined);
        assert_eq!(wrong(&report).into_iter().collect::<Vec<_>>(), only("migrations", "advice"));
        let found = finding(&report, "migrations")["found"].as_str().unwrap();
        assert!(found.starts_with("at version 0, and "), "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_that_is_wrong_with_a_database_elsewhere_is_named_alone() {
    let elsewhere = Elsewhere::start(Durability::On).await;
    assert_eq!(elsewhere.after("select 1").await, (vec![], 0));
    for (change, check, level, undo) in CHANGES {
        let (found, code) = elsewhere.after(change).await;
        assert_eq!(found, only(check, level), "{change}");
        assert_eq!(code, i32::from(level == "fault"), "{change}");
        assert_eq!(elsewhere.after(undo).await, (vec![], 0), "{undo}");
    }
    // A slot that keeps little is named, and is nothing to mend.
    let made = elsewhere.after("select pg_create_physical_replication_slot('left', true)").await;
    assert_eq!(made, (vec![], 0));
    let examined = program::json(&elsewhere.run(&["--json", "doctor"]));
    let slots = finding(&examined, "replication_slots")["found"].as_str().unwrap();
    assert!(slots.starts_with("left keeps ") && slots.ends_with(", not in use"), "{slots}");
    elsewhere.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_can_lose_events_is_a_fault() {
    let elsewhere = Elsewhere::start(Durability::Off).await;
    let (found, code) = elsewhere.after("select 1").await;
    let lost = ["fsync", "full_page_writes", "synchronous_commit"];
    assert_eq!(found, lost.map(|name| (name.to_owned(), "fault".to_owned())));
    assert_eq!(code, 1);
    let shown = elsewhere.run(&["doctor"]);
    assert_eq!(program::code(&shown), 1);
    let text = String::from_utf8(shown.stdout).unwrap();
    let row = text.lines().find(|line| line.contains(" fsync ")).expect("a row");
    assert!(row.contains("fault") && row.contains("off") && row.contains("acknowledged events are lost"));
    elsewhere.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_not_the_ledgers_is_a_fault() {
    let elsewhere = Elsewhere::start(Durability::Off).await;
    let make = "create role stranger login password 'of-this-test'";
    elsewhere.after(make).await;
    let options = elsewhere.server.connect_options(DATABASE).username("stranger").password("of-this-test");
    let mut command = program::command(&["--json", "doctor"]);
    let examined = program::run(command.env("DATABASE_URL", options.to_url_lossy().as_str()));
    assert_eq!(program::code(&examined), 1, "{}", program::stderr(&examined));
    let report = program::json(&examined);
    let found = &finding(&report, "append_only")["found"];
    assert!(found.as_str().unwrap().contains("permission denied"), "{report:#}");
    elsewhere.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_embedded_database_it_says_so_and_makes_none() {
    let scratch = Scratch::create();
    for directory in [scratch.path().to_owned(), scratch.path().join("missing")] {
        let examined = embedded(&directory, &["doctor"]);
        assert_eq!(program::code(&examined), 3, "{}", program::stderr(&examined));
        let said = program::stderr(&examined);
        let named = format!("there is no database in {}; `counterfoil serve` makes one", directory.display());
        assert!(said.contains(&named), "{said}");
    }
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0, "nothing is made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_login_is_told_what_it_lacks_and_what_it_cannot_see() {
    let elsewhere = Elsewhere::start_empty(Durability::On).await;
    elsewhere.change("create role plain login password 'of-this-test'").await;
    elsewhere.change("create database plain owner plain").await;
    let plain = elsewhere.server.connect_options("plain").username("plain").password("of-this-test");

    // Nobody has made the program's role, and this login may not.
    let (all, report, code) = examined_by(&plain);
    assert_eq!((all, code), (only("migrations", "fault"), 1), "{report:#}");
    assert!(found(&report, "migrations").contains("create role counterfoil_service"), "{report:#}");
    elsewhere.change("create role counterfoil_service; grant counterfoil_service to plain").await;
    let (all, report, code) = examined_by(&plain);
    assert_eq!((all, code), (only("migrations", "advice"), 0), "{report:#}");
    let migrated = run_as(&plain, &["migrate"]);
    assert_eq!(program::code(&migrated), 0, "{}", program::stderr(&migrated));
    let (all, report, code) = examined_by(&plain);
    assert_eq!((all, code), (vec![], 0), "{report:#}");

    // Limits are none for superusers, and are for others.
    for (whose, what) in [("login", "role"), ("database", "database")] {
        elsewhere.change(&format!("alter {what} plain connection limit 39")).await;
        let (all, report, code) = examined_by(&plain);
        assert_eq!((all, code), (only("connections", "fault"), 1), "{report:#}");
        let limit = format!("; the limit of the {whose} is 39");
        assert!(found(&report, "connections").ends_with(&limit), "{report:#}");
        elsewhere.change(&format!("alter {what} plain connection limit 40")).await;
        assert_eq!(examined_by(&plain).0, vec![]);
        elsewhere.change(&format!("alter {what} plain connection limit -1")).await;
    }

    // A session of another login is counted, and what it does is not known.
    let mut other = elsewhere.server.connect_options(DATABASE).connect().await.expect("it answers");
    other.execute("begin; select count(*) from pg_class").await.expect("it reads");
    let (all, report, code) = examined_by(&plain);
    assert_eq!((all, code), (only("long_transactions", "advice"), 0), "{report:#}");
    assert!(found(&report, "connections").starts_with("2 of 97 are used"), "{report:#}");
    assert!(found(&report, "long_transactions").contains("sessions that cannot be seen: 1;"), "{report:#}");
    elsewhere.change("grant pg_read_all_stats to plain").await;
    let (all, report, _) = examined_by(&plain);
    assert_eq!(all, vec![], "{report:#}");
    assert!(!found(&report, "long_transactions").contains("cannot be seen"), "{report:#}");
    drop(other);
    elsewhere.server.stop().await;
}
