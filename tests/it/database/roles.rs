//! Can the program change what happened? Not with the rights that it works with.

use counterfoil::postgres::{pool, roles};
use sqlx::PgPool;

use crate::support::{
    database::TestDatabase,
    ledger::{self, deduct, noon, open},
};

const INSUFFICIENT_PRIVILEGE: &str = "42501";

pub async fn service_pool(database: &TestDatabase) -> PgPool {
    let options = roles::with_least_rights(&database.connect_options()).await.expect("the database answers");
    pool::open(options, 4)
}

async fn refusal(pool: &PgPool, sql: &str) -> String {
    let error = sqlx::raw_sql(sql).execute(pool).await.expect_err(sql);
    error.as_database_error().and_then(|error| error.code()).expect("a code").into_owned()
}

#[tokio::test]
async fn the_program_appends_and_cannot_change_the_past() {
    let database = TestDatabase::create().await;
    let pool = service_pool(&database).await;
    let user: String = sqlx::query_scalar("select current_user::text").fetch_one(&pool).await.unwrap();
    assert_eq!(user, roles::SERVICE);

    let (ledger, _running) = ledger::start(pool.clone(), counterfoil::clock::Clock::fixed(noon())).await;
    open(&ledger, "acme").await.unwrap();
    ledger.execute(deduct("acme", 10, "k1")).await.unwrap();

    for sql in [
        "update ledger.events set payload = '{}'",
        "delete from ledger.events",
        "truncate ledger.events",
        "insert into ledger.events select * from ledger.events",
        "update ledger.blocks set root = ''",
        "delete from ledger.blocks",
        "truncate ledger.blocks",
        "insert into ledger.blocks select * from ledger.blocks",
        "update ledger.heads set position = 0",
        "delete from ledger.heads",
        "insert into ledger.heads values (1, 0, 0, '')",
        "select * from ledger.heads for update",
        "update ledger.heads set shardings = 2",
        "insert into ledger.shardings select * from ledger.shardings",
        "delete from ledger.sharding_filters",
        "alter table ledger.events disable trigger all",
        "update ledger.mode set mode = 'live'",
        "delete from ledger.mode",
        "create table ledger.more ()",
    ] {
        assert_eq!(refusal(&pool, sql).await, INSUFFICIENT_PRIVILEGE, "{sql}");
    }
}

#[tokio::test]
async fn the_read_models_are_the_programs_own() {
    let database = TestDatabase::create().await;
    let foreign: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'read'::regnamespace \
         and relkind in ('r', 'v') and relowner <> 'counterfoil_service'::regrole",
    )
    .fetch_all(&database.pool())
    .await
    .unwrap();
    assert!(
        foreign.is_empty(),
        "a migration has to end with `call ledger.hand_over_read_models()`: {foreign:?}"
    );
}

#[tokio::test]
async fn every_table_beside_the_journal_can_be_written() {
    let database = TestDatabase::create().await;
    let closed: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'ledger'::regnamespace and relkind = 'r' \
         and not has_table_privilege('counterfoil_service', oid, 'select, insert, update, delete') order by 1",
    )
    .fetch_all(&database.pool())
    .await
    .unwrap();
    // Any one of the rights suffices for the question, and the journal's tables have the first.
    assert!(closed.is_empty(), "{closed:?}");
    let writable: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class where relnamespace = 'ledger'::regnamespace and relkind = 'r' \
         and has_table_privilege('counterfoil_service', oid, 'update') order by 1",
    )
    .fetch_all(&database.pool())
    .await
    .unwrap();
    for journal in ["events", "blocks", "heads", "shardings", "sharding_filters", "mode"] {
        assert!(!writable.contains(&journal.to_owned()), "{journal}");
    }
    for other in ["api_keys", "catalogs", "snapshots", "stripe_inbox", "stripe_links", "stripe_payments"] {
        assert!(writable.contains(&other.to_owned()), "{other}");
    }
}

#[tokio::test]
async fn a_login_that_may_not_take_the_role_on_works_as_it_is() {
    let database = TestDatabase::create().await;
    let mut admin = database.pool().acquire().await.unwrap();
    let login = format!("restricted_{}", std::process::id());
    let make = format!(
        "create role {login} login password 'of-this-test'; grant usage on schema ledger to {login};"
    );
    sqlx::raw_sql(&make).execute(&mut *admin).await.unwrap();
    let options = database.connect_options().username(&login).password("of-this-test");
    let chosen = roles::with_least_rights(&options).await.expect("it is allowed to go on");
    let pool = pool::open(chosen, 1);
    let user: String = sqlx::query_scalar("select current_user::text").fetch_one(&pool).await.unwrap();
    assert_eq!(user, login);
    pool.close().await;
    let drop = format!("drop owned by {login}; drop role {login};");
    sqlx::raw_sql(&drop).execute(&mut *admin).await.unwrap();
}

#[tokio::test]
async fn a_rebuild_by_the_program_and_one_by_the_owner_can_both_be_read() {
    let database = TestDatabase::create().await;
    let service = service_pool(&database).await;
    for pool in [database.pool(), service.clone()] {
        let feed = counterfoil::journal::feed::Feed::new(pool.clone());
        let clock = counterfoil::clock::Clock::fixed(noon());
        let models = counterfoil::projections::all();
        let projector =
            counterfoil::projector::Projector::open(pool, feed, models, clock).await.expect("it opens");
        assert!(projector.rebuild("usage", false, |_| {}).await.expect("it is built").switched);
        for reader in [&database.pool(), &service] {
            sqlx::raw_sql("select * from read.usage").execute(reader).await.expect("it can be read");
        }
    }
}
