//! Is each table put to the nodes that the program's list says, where a database has several?
//!
//! There is no Citus here. A stand-in refuses what Citus refuses, and writes down what was asked.

use std::{collections::BTreeSet, time::Duration};

use counterfoil::{
    clock::Clock,
    journal::{feed::Feed, grow},
    postgres::{
        migrations,
        placement::{PlacementError, TABLES, distribute, place_read_models, placement_of},
        pool, roles,
    },
    projections,
    projector::Projector,
};
use sqlx::{PgConnection, PgPool};

use crate::{
    database::roles::service_pool,
    support::{
        database::TestDatabase,
        ledger::{self, deduct, noon, start},
        proxy::{Fault, Proxy},
        shards::shard_of,
    },
};

/// A migrated database with the stand-in.
async fn with_stand_in() -> TestDatabase {
    let database = TestDatabase::create().await;
    let stand_in = include_str!("../support/citus_stub.sql");
    sqlx::raw_sql(stand_in).execute(&database.pool()).await.expect("the stand-in");
    database
}

async fn findings(pool: &PgPool) -> Vec<String> {
    let findings = sqlx::query_scalar("select finding from citus_stub.findings() order by 1");
    findings.fetch_all(pool).await.expect("an answer")
}

async fn run(pool: &PgPool, statements: &str) {
    sqlx::raw_sql(statements).execute(pool).await.unwrap_or_else(|error| panic!("{statements}: {error}"));
}

async fn open(pool: &PgPool) -> Projector {
    let feed = Feed::new(pool.clone());
    Projector::open(pool.clone(), feed, projections::all(), Clock::fixed(noon())).await.expect("it opens")
}

#[tokio::test]
async fn a_start_puts_every_table_to_its_nodes() {
    let database = with_stand_in().await;
    let pool = database.pool();
    migrations::run(&database.connect_options(), None).await.expect("it distributes what there is");
    let service = service_pool(&database).await;
    let projector = open(&service).await;
    assert_eq!(findings(&pool).await, Vec::<String>::new());
    assert!(projector.rebuild("usage", false, |_| {}).await.expect("it is built").switched);
    projector.drop_old("usage").await.expect("dropped");
    migrations::run(&database.connect_options(), None).await.expect("nothing is left to do");
    assert_eq!(findings(&pool).await, Vec::<String>::new());

    // Citus logs in to other nodes as the role, and passes no settings on.
    let settings: Vec<String> = sqlx::query_scalar(
        "select unnest(rolconfig) from pg_roles where rolname = 'counterfoil_service' and rolcanlogin order by 1",
    )
    .fetch_all(&pool)
    .await
    .expect("an answer");
    let limits = [
        format!("idle_in_transaction_session_timeout={}", pool::IDLE_IN_TRANSACTION_TIMEOUT_MS),
        format!("lock_timeout={}", pool::LOCK_TIMEOUT_MS),
        format!("statement_timeout={}", pool::STATEMENT_TIMEOUT_MS),
    ];
    assert_eq!(settings, limits);
}

#[tokio::test]
async fn a_ledger_on_several_nodes_is_grown() {
    let database = with_stand_in().await;
    let pool = database.pool();
    migrations::run(&database.connect_options(), None).await.expect("it distributes what there is");
    let service = service_pool(&database).await;
    let growth = grow::grow(&service, 32, noon(), |_| {}).await.expect("grown");
    assert_eq!(growth.shards.len(), 32);
    migrations::run(&database.connect_options(), Some(32)).await.expect("nothing is left to do");
    open(&service).await;
    assert_eq!(findings(&pool).await, Vec::<String>::new());
    let (ledger, _running) = start(service, Clock::fixed(noon())).await;
    ledger::open(&ledger, "acme").await.expect("opened");
}

/// What a shard's task sends goes to the node of the shard, and through the coordinator if that cannot be reached.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_is_written_on_its_own_node() {
    let database = with_stand_in().await;
    let pool = database.pool();
    migrations::run(&database.connect_options(), None).await.expect("it distributes what there is");
    let shard = shard_of(&pool, "acme").await;
    let (proxy, node) = Proxy::before(&database.connect_options());
    let place = "insert into pg_dist_placement values (102000 + $1, 7)";
    sqlx::query(place).bind(i64::from(shard.0)).execute(&pool).await.expect("placed");
    let add = "insert into pg_dist_node values (7, $1, $2)";
    let directory = node.get_socket().expect("a directory").display().to_string();
    let add = sqlx::query(add).bind(directory).bind(i32::from(node.get_port()));
    add.execute(&pool).await.expect("added");
    let (ledger, _running) = start(pool.clone(), Clock::fixed(noon())).await;
    ledger::open(&ledger, "acme").await.expect("opened");
    let fault = proxy.next_append(Fault::LoseAnswer);
    ledger.execute(deduct("acme", 1, "one")).await.expect("deducted");
    tokio::time::timeout(Duration::from_secs(20), fault.happened()).await.expect("it went through the node");

    run(&pool, "update pg_dist_node set nodename = '/nowhere'").await;
    let (other, _running) = start(pool.clone(), Clock::fixed(noon())).await;
    other.execute(deduct("acme", 1, "two")).await.expect("through the coordinator");
}

#[tokio::test]
async fn what_citus_would_refuse_or_lose_is_found() {
    let database = with_stand_in().await;
    let pool = database.pool();
    migrations::run(&database.connect_options(), None).await.expect("it distributes what there is");
    let mut connection: PgConnection = pool.acquire().await.expect("a connection").detach();

    run(&pool, "create table ledger.planted ()").await;
    let unlisted = distribute(&mut connection).await;
    assert!(matches!(&unlisted, Err(PlacementError::Unlisted { table }) if table == "ledger.planted"));
    run(&pool, "drop table ledger.planted").await;

    run(&pool, "create table read.planted_v1 (account_id text primary key, shard smallint not null)").await;
    let refused = place_read_models(&mut connection).await.expect_err("its key is without the shard");
    assert!(matches!(&refused, PlacementError::Database(error) if error.to_string().contains("constraint")));
    run(&pool, "drop table read.planted_v1").await;

    run(
        &pool,
        "create table read.planted_v1 (account_id text, shard smallint, primary key (account_id, shard));
         alter table read.planted_v1 owner to counterfoil_service",
    )
    .await;
    place_read_models(&mut connection).await.expect("it is not refused");
    let found = findings(&pool).await;
    assert!(matches!(&*found, [one] if one.contains("does not begin with shard")), "{found:?}");
    run(&pool, "drop table read.planted_v1").await;

    run(&pool, "create table read.planted_v2 (shard smallint primary key)").await;
    let several = place_read_models(&mut connection).await.expect_err("it has another owner");
    assert!(matches!(&several, PlacementError::SeveralOwners { tables } if tables.contains("planted_v2")));
    let found = findings(&pool).await;
    assert!(matches!(&*found, [one] if one.starts_with("a group has several owners")), "{found:?}");
}

#[tokio::test]
async fn every_table_is_in_the_list_and_is_there() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    open(&pool).await;
    let there: BTreeSet<String> = sqlx::query_scalar(
        "select case when nspname in ('ledger', 'read') then nspname || '.' || relname else relname::text end \
         from pg_class join pg_namespace on pg_namespace.oid = relnamespace \
         where relkind in ('r', 'p') and nspname in ('ledger', 'read', 'public')",
    )
    .fetch_all(&pool)
    .await
    .expect("an answer")
    .into_iter()
    .collect();
    let unlisted: Vec<&String> = there.iter().filter(|table| placement_of(table).is_none()).collect();
    assert!(unlisted.is_empty(), "not in the list of `crates/postgres/src/placement/mod.rs`: {unlisted:?}");
    let gone: Vec<&str> =
        TABLES.iter().map(|(table, _, _)| *table).filter(|table| !there.contains(*table)).collect();
    assert!(gone.is_empty(), "in the list, and not there: {gone:?}");
}

/// A database elsewhere may give the program a login that may not change roles.
#[tokio::test]
async fn a_login_that_may_not_change_the_role_starts_all_the_same() {
    let database = with_stand_in().await;
    let pool = database.pool();
    run(&pool, "alter role counterfoil_service nologin; alter role counterfoil_service reset all").await;
    migrations::run(&database.connect_options(), None).await.expect("it distributes what there is");
    let login = format!("unprivileged_{}", std::process::id());
    let make = format!(
        "create role {login} login password 'of-this-test'; grant counterfoil_service to {login};
         grant select on all tables in schema ledger, public to {login}; grant usage on schema ledger to {login};
         alter role counterfoil_service nologin"
    );
    run(&pool, &make).await;
    let options = database.connect_options().username(&login).password("of-this-test");
    let mut connection: PgConnection = sqlx::Connection::connect_with(&options).await.expect("it logs in");
    distribute(&mut connection).await.expect("it goes on, and says what a superuser has to do");
    drop(connection);
    assert!(roles::with_least_rights(&options).await.is_ok());
    let end = format!("drop owned by {login}; drop role {login}; alter role counterfoil_service login");
    run(&pool, &end).await;
}
