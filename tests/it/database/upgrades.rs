//! What becomes of the ledger of an earlier release?

use counterfoil::{
    audit::{AuditScope, verify_journal},
    clock::Clock,
    domain::{recorded::Position, time::Timestamp},
    journal::unique::key_digest,
    ledger::{ExecuteError, Repeated},
    postgres::{Server, migrations},
};
use sqlx::{Executor, PgConnection, PgPool};
use uuid::Uuid;

use crate::{
    database::postgres::{connect, connect_with, start, throw_away},
    support::{
        Scratch,
        database::TestDatabase,
        ledger::{self, account, credits, deduct, opening},
    },
};

/// A database as releases before `version` left it.
async fn earlier_release(server: &Server, database: &str, version: i64) -> PgConnection {
    let create = format!("create database {database}");
    connect(server).await.execute(create.as_str()).await.unwrap();
    let mut connection = connect_with(&server.connect_options(database)).await;
    let mut earlier = migrations::migrator();
    earlier.migrations = earlier.iter().filter(|migration| migration.version < version).cloned().collect();
    earlier.run_direct(&mut connection).await.unwrap();
    connection
}

/// What a ledger of an earlier release is for, by what is in it.
async fn mode_found(
    server: &Server,
    database: &str,
    events: &[(&str, &str, bool)],
    key: Option<&str>,
) -> Option<String> {
    let mut connection = earlier_release(server, database, 23).await;
    for (event, (state, secret, live)) in events.iter().enumerate() {
        sqlx::query(
            "insert into ledger.stripe_inbox (event_id, event_type, created_at, livemode, secret, body, received_at, \
             party, state, changed_at) values ($1, 'invoice.paid', now(), $2, $3, '{}', now(), 'cus', $4, now())",
        )
        .bind(format!("evt_{event}"))
        .bind(live)
        .bind(secret)
        .bind(state)
        .execute(&mut connection)
        .await
        .unwrap();
    }
    if let Some(prefix) = key {
        sqlx::query(
            "insert into ledger.api_keys (id, hash, prefix, name, scopes, created_at) \
             values ('key_1', '\\x00', $1, 'backend', '{admin}', now())",
        )
        .bind(prefix)
        .execute(&mut connection)
        .await
        .unwrap();
    }
    migrations::run(&server.connect_options(database), None).await.unwrap();
    sqlx::query_scalar("select mode from ledger.mode").fetch_optional(&mut connection).await.unwrap()
}

#[tokio::test]
async fn what_a_ledger_of_an_earlier_release_is_for_is_found_in_it() {
    let scratch = Scratch::create();
    let server = start(throw_away(scratch.path())).await;
    let live = ("processed", "given", true);
    let foreign = ("ignored", "given", true);
    let test = ("processed", "given", false);
    let sandbox = ("processed", "sandbox", false);
    let ledgers = [
        (&[live][..], None, Some("live")),
        (&[test], Some("cf_live_ab"), Some("test")),
        (&[test, foreign], None, Some("test")),
        (&[sandbox], None, Some("sandbox")),
        (&[test, live], Some("cf_test_ab"), Some("live")),
        (&[foreign], None, None),
        (&[], Some("cf_live_ab"), Some("live")),
        (&[], Some("cf_test_ab"), None),
        (&[], None, None),
    ];
    for (number, (events, key, mode)) in ledgers.into_iter().enumerate() {
        let found = mode_found(&server, &format!("earlier_{number}"), events, key).await;
        assert_eq!(found.as_deref(), mode, "{events:?} {key:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn of_what_earlier_releases_charged_twice_the_first_charge_is_the_generations_own() {
    let scratch = Scratch::create();
    let server = start(throw_away(scratch.path())).await;
    let mut connection = earlier_release(&server, "earlier", 22).await;
    let purpose = r#""purpose":{"generation":{"id":"gen_1","kind":"song"}}"#;
    let named = r#""purpose":{"named":{"id":"gen_1"}}"#;
    for (sequence, event_type, purpose) in [
        (1, "CreditsDeducted", named),
        (2, "CreditsHeld", purpose),
        (3, "HoldCommitted", purpose),
        (4, "CreditsDeducted", purpose),
        (5, "CreditsDeducted", r#""purpose":{"named":{}}"#),
    ] {
        sqlx::query(
            "insert into ledger.events values (0, $1, 'account', 'acme', $1, $2, '1', $3::json, '{}', now(), null, '')",
        )
        .bind(i64::from(sequence))
        .bind(event_type)
        .bind(format!(r#"{{"{event_type}":{{{purpose}}}}}"#))
        .execute(&mut connection)
        .await
        .unwrap();
    }
    migrations::run(&server.connect_options("earlier"), None).await.unwrap();
    let found: Vec<Option<String>> =
        sqlx::query_scalar("select generation from ledger.events order by position")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let found: Vec<Option<&str>> = found.iter().map(Option::as_deref).collect();
    assert_eq!(found, [Some("gen_1 1"), Some("gen_1 "), Some("gen_1 3"), Some("gen_1 4"), None]);
    server.stop().await;
}

/// Rows that an earlier release has stored ([`earlier`](earlier/journal_33.sql)) have keys as text, and longer forms.
#[tokio::test]
async fn what_an_earlier_release_has_stored_is_found_by_its_keys_and_proved() {
    let scratch = Scratch::create();
    let server = start(throw_away(scratch.path())).await;
    let mut connection = earlier_release(&server, "earlier", 34).await;
    connection.execute(include_str!("earlier/journal_33.sql")).await.unwrap();
    migrations::run(&server.connect_options("earlier"), None).await.unwrap();
    let pool = PgPool::connect_with(server.connect_options("earlier")).await.unwrap();
    let at = Timestamp::parse("2026-11-28T15:00:00Z").expect("a time");
    let (ledger, running) = ledger::start(pool.clone(), Clock::fixed(at)).await;

    let again = ledger.execute(deduct("acme", 5, "k")).await.expect("it was done");
    assert!(again.replayed);
    assert_eq!(again.position.position, Position(3));
    assert_eq!(again.balance().expect("an event").available, credits(45));
    assert_eq!(ledger.execute(deduct("acme", 6, "k")).await, Err(ExecuteError::KeyReused));
    let opened = ledger.find_repeated(&opening("acme")).await.expect("readable");
    assert_eq!(opened, Some(Repeated::Same), "the first of two events has the key");
    let next = ledger.execute(deduct("acme", 6, "k2")).await.expect("deducted");
    assert_eq!((next.replayed, next.position.position), (false, Position(5)));
    assert_eq!(next.balance().expect("an event").available, credits(29));

    let verified = verify_journal(&pool, &AuditScope::WHOLE, |_, _| {}).await.unwrap();
    assert_eq!((verified.findings, verified.events), (Vec::new(), 5));
    let digests: Vec<Option<Uuid>> =
        sqlx::query_scalar("select key_digest from ledger.events order by position")
            .fetch_all(&pool)
            .await
            .unwrap();
    let digest = key_digest(&account("acme"), "api:k2");
    assert_eq!(digests, [None, None, None, None, Some(digest)]);
    let computed: Uuid =
        sqlx::query_scalar("select ledger.key_digest('acme', 'api:k2')").fetch_one(&pool).await.unwrap();
    assert_eq!(computed, digest);
    drop((ledger, running, pool));
    server.stop().await;
}

/// The database computes the digest of a key as the program does, whatever is in it.
#[tokio::test]
async fn digests_of_keys_are_the_same_everywhere() {
    let database = TestDatabase::create().await;
    for (id, key) in [("acme", ""), ("acme", "api:ключ-🔑"), ("a", "cme\u{1}x"), ("ac", "me")] {
        let computed: Uuid = sqlx::query_scalar("select ledger.key_digest($1, $2)")
            .bind(id)
            .bind(key)
            .fetch_one(&database.pool())
            .await
            .unwrap();
        assert_eq!(computed, key_digest(&account(id), key), "{id} {key}");
    }
}
