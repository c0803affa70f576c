//! Does an audit find every change of the past? Whatever a superuser does to it, and it says where.

use std::{collections::BTreeSet, time::Duration};

use counterfoil::{
    audit::{
        AuditProblem, AuditScope, Verification, VerifiedHead, replay, verify_journal, verify_read_models,
    },
    journal::feed::Feed,
    projections,
    projector::Projector,
};
use futures::future::join_all;
use sqlx::{Connection, Executor, PgConnection};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::support::ledger::{TestLedger, account, deduct, open};
use crate::support::shards;

/// Three accounts with 30 deductions each, in several blocks.
async fn history() -> TestLedger {
    let test = TestLedger::of_one_shard().await;
    for id in ["acme", "bolt", "core"] {
        open(&test.ledger, id).await.expect("opened");
    }
    for round in 0..3 {
        let requests = (0..30).map(|number| {
            let id = ["acme", "bolt", "core"][number % 3];
            test.ledger.execute(deduct(id, 1, &format!("k{round}-{number}")))
        });
        join_all(requests).await.into_iter().for_each(|answer| {
            answer.expect("deducted");
        });
    }
    test.until_snapshots_are_taken().await;
    test
}

async fn verify(test: &TestLedger) -> Verification {
    verify_journal(&test.database.pool(), &AuditScope::WHOLE, |_, _| {}).await.expect("the database answers")
}

/// What someone with every privilege can do.
pub async fn tamper(test: &TestLedger, statement: &str) {
    let mut connection =
        PgConnection::connect_with(&test.database.connect_options()).await.expect("connected");
    connection.execute("set session_replication_role = replica").await.expect("allowed");
    connection.execute(statement).await.expect(statement);
}

async fn first_finding_after(statement: &str) -> (AuditProblem, Option<i64>) {
    let test = history().await;
    assert!(verify(&test).await.is_clean());
    tamper(&test, statement).await;
    let verification = verify(&test).await;
    let first = verification.findings.first().expect("found");
    (first.problem, first.position)
}

#[tokio::test]
async fn an_honest_journal_is_clean() {
    let test = history().await;
    let verification = verify(&test).await;
    assert_eq!(verification.findings, []);
    assert_eq!((verification.events, verification.accounts), (96, 3));
    assert!(verification.blocks >= 6);
}

#[tokio::test]
async fn a_flipped_byte_is_found() {
    let found = first_finding_after(
        "update ledger.events set payload = replace(payload::text, '\"amount\":1', '\"amount\":2')::json \
         where position = 40",
    );
    assert_eq!(found.await, (AuditProblem::EventChanged, Some(40)));
}

#[tokio::test]
async fn a_flipped_byte_with_a_matching_hash_is_found_by_its_block() {
    let test = history().await;
    tamper(&test, "update ledger.events set leaf_hash = sha256(leaf_hash) where position = 40").await;
    let verification = verify(&test).await;
    let first = verification.findings.first().expect("found");
    assert_eq!((first.problem, first.position), (AuditProblem::EventChanged, Some(40)));
}

#[tokio::test]
async fn a_generation_that_is_named_by_no_event_is_found() {
    let found =
        first_finding_after("update ledger.events set generation = 'gen_1 ' where position = 40").await;
    assert_eq!(found, (AuditProblem::EventChanged, Some(40)));
}

#[tokio::test]
async fn a_deleted_event_is_found() {
    let found = first_finding_after("delete from ledger.events where position = 41").await;
    assert_eq!(found, (AuditProblem::EventMissing, Some(41)));
}

#[tokio::test]
async fn a_deleted_end_is_found() {
    let found = first_finding_after("delete from ledger.events where position > 90").await;
    assert_eq!(found, (AuditProblem::EventMissing, Some(91)));
}

#[tokio::test]
async fn swapped_events_are_found() {
    let found = first_finding_after(
        "update ledger.events set position = -position where position in (50, 51); \
         update ledger.events set position = 101 + position where position < 0",
    );
    assert_eq!(found.await, (AuditProblem::EventChanged, Some(50)));
}

#[tokio::test]
async fn an_inserted_event_is_found() {
    let found = first_finding_after(
        "insert into ledger.events select shard, 97, aggregate_type, aggregate_id, sequence + 1, event_type, \
         event_version, payload, metadata, recorded_at, null, leaf_hash \
         from ledger.events where aggregate_id = 'acme' order by sequence desc limit 1",
    );
    assert_eq!(found.await, (AuditProblem::EventChanged, Some(97)));
}

#[tokio::test]
async fn a_forged_block_is_found() {
    let found = first_finding_after("update ledger.blocks set root = sha256(root) where block = 4").await;
    assert_eq!(found.0, AuditProblem::BlockChanged);
}

#[tokio::test]
async fn a_forged_head_is_found() {
    let found = first_finding_after("update ledger.heads set hash = sha256(hash)").await;
    assert_eq!(found, (AuditProblem::HeadChanged, None));
}

#[tokio::test]
async fn events_cannot_be_changed_without_going_round_the_trigger() {
    let test = history().await;
    for statement in [
        "update ledger.events set sequence = 7 where position = 1",
        "delete from ledger.events where position = 1",
        "truncate ledger.events",
        "delete from ledger.blocks",
    ] {
        let refused = sqlx::query(statement).execute(&test.database.pool()).await.expect_err(statement);
        let code = refused.as_database_error().and_then(|error| error.code().map(String::from));
        assert_eq!(code.as_deref(), Some("CF002"), "{statement}");
    }
}

#[tokio::test]
async fn a_replay_ends_where_callers_are() {
    let test = history().await;
    let replay = replay(&test.ledger, &account("acme"), None).await.expect("readable");
    assert_eq!(replay.steps.len(), 32);
    assert_eq!(replay.balance.available.get(), 20);
    assert_eq!(replay.differences, Vec::<String>::new());
}

/// A projector on the test's database, with everything that is in the journal applied.
async fn caught_up(test: &TestLedger) -> (Projector, CancellationToken) {
    let feed = Feed::new(test.database.pool());
    let projector = Projector::open(test.database.pool(), feed, projections::all(), test.clock.clone())
        .await
        .expect("the database answers");
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    projector.start(&tasks, &stop, test.ledger.positions());
    let end = test.ledger.known_heads();
    for name in projector.names().collect::<Vec<_>>() {
        assert!(shards::wait_for(&projector, name, &end, Duration::from_secs(30)).await.reached, "{name}");
    }
    (projector, stop)
}

/// What it cannot read does not hide what it has found.
#[tokio::test]
async fn an_unreadable_event_is_a_finding_in_the_journal_and_in_each_read_model() {
    let test = history().await;
    let (projector, stop) = caught_up(&test).await;
    tamper(&test, "update ledger.events set event_version = '9' where position = 40").await;
    // A program that has not read the event before.
    let feed = Feed::new(test.database.pool());
    let fresh = Projector::open(test.database.pool(), feed, projections::all(), test.clock.clone());
    let fresh = fresh.await.expect("the database answers");
    let mut verification = verify(&test).await;
    verify_read_models(&fresh, &mut verification, |_, _, _| {}).await.expect("all is told");
    let problems: BTreeSet<AuditProblem> =
        verification.findings.iter().map(|finding| finding.problem).collect();
    let expected = [AuditProblem::EventChanged, AuditProblem::HistoryBroken, AuditProblem::ReadModelNotBuilt];
    assert_eq!(problems, BTreeSet::from(expected), "{:?}", verification.findings);
    drop(projector);
    stop.cancel();
}

#[tokio::test]
async fn a_changed_aggregate_type_is_found() {
    let found =
        first_finding_after("update ledger.events set aggregate_type = 'order' where position = 40").await;
    assert_eq!(found, (AuditProblem::EventChanged, Some(40)));
}

/// However many connections read it, and wherever the sections end.
#[tokio::test]
async fn several_connections_find_what_one_finds() {
    let test = history().await;
    let scope = AuditScope { connections: 3, ..AuditScope::WHOLE };
    let pool = test.database.pool();
    let shared = verify_journal(&pool, &scope, |_, _| {}).await.expect("the database answers");
    assert_eq!(shared, verify(&test).await);
    tamper(&test, "delete from ledger.events where position = 41; update ledger.blocks set root = sha256(root) where block = 2")
        .await;
    let shared = verify_journal(&pool, &scope, |_, _| {}).await.expect("the database answers");
    assert!(shared.findings.len() > 2);
    assert_eq!(shared, verify(&test).await);
}

#[tokio::test]
async fn an_audit_goes_on_from_a_head_that_was_verified() {
    let test = history().await;
    let pool = test.database.pool();
    let first = verify(&test).await;
    let since: VerifiedHead = format!("{}:{}", first.position, first.head).parse().expect("as it is shown");
    let scope = AuditScope { since: vec![since], connections: 2, ..AuditScope::WHOLE };
    let nothing = verify_journal(&pool, &scope, |_, _| {}).await.expect("the database answers");
    assert_eq!((nothing.events, nothing.accounts, nothing.is_clean()), (0, 0, true));
    test.ledger.execute(deduct("bolt", 1, "later")).await.expect("deducted");
    let later = verify_journal(&pool, &scope, |_, _| {}).await.expect("the database answers");
    assert_eq!((later.events, later.accounts, later.since), (1, 1, first.position), "{later:?}");
    assert!(later.is_clean());
    assert_eq!(later.head, verify(&test).await.head);

    // A past that was changed as a whole is told from the one that was verified.
    let other = VerifiedHead { hash: [7; 32], ..since };
    let scope = AuditScope { since: vec![other], ..scope };
    let changed = verify_journal(&pool, &scope, |_, _| {}).await.expect("the database answers");
    let problems: Vec<AuditProblem> = changed.findings.iter().map(|finding| finding.problem).collect();
    assert_eq!((problems, changed.events), (vec![AuditProblem::HeadNotFound], 97), "all is checked then");
    assert!("97".parse::<VerifiedHead>().is_err() && "0:00".parse::<VerifiedHead>().is_err());
}

#[tokio::test]
async fn a_read_model_that_was_changed_is_found() {
    let test = history().await;
    let (projector, stop) = caught_up(&test).await;
    let mut verification = verify(&test).await;
    verify_read_models(&projector, &mut verification, |_, _, _| {}).await.expect("built");
    assert_eq!(verification.findings, []);
    let compared = verification.read_models.iter().map(|compared| compared.projection.as_str());
    let known: Vec<&str> = compared.chain(verification.left_out.iter().map(String::as_str)).collect();
    assert_eq!(
        (known.len(), &verification.left_out),
        (projector.names().count(), &vec!["deadlines".to_owned()])
    );
    sqlx::query("update read.usage set count = count + 1 where account_id = 'acme'")
        .execute(&test.database.pool())
        .await
        .expect("changed");
    verify_read_models(&projector, &mut verification, |_, _, _| {}).await.expect("built");
    let finding = verification.findings.first().expect("found");
    assert_eq!(finding.problem, AuditProblem::ReadModelDiffers);
    assert!(finding.detail.starts_with("2 rows of read.usage differ"), "{}", finding.detail);
    stop.cancel();
}
