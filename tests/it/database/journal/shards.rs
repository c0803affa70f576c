//! Is each account in one shard for ever, and is a shard that is gone noticed?

use counterfoil::{
    audit::{AuditProblem, AuditScope, Verification, VerifiedHead, replay, verify_journal},
    clock::Clock,
    domain::recorded::{JournalPosition, Shard},
    journal::shards::{ShardMissing, Shards},
    ledger::Ledger,
    postgres::migrations::{self, MigrationError},
};
use futures::future::join_all;

use crate::{
    database::audit::tamper,
    support::{
        database::TestDatabase,
        ledger::{TestLedger, account, deduct, grant, music, noon, open},
        shards::{heads, shards},
    },
};

/// With two deductions each, some of them at the same time.
async fn eight_shards(accounts: usize) -> TestLedger {
    let test = TestLedger::on(TestDatabase::of_shards(8).await, music()).await;
    join_all((0..accounts).map(async |number| {
        let id = format!("a{number}");
        open(&test.ledger, &id).await.expect("opened");
        grant(&test.ledger, &id, 100, "g").await.expect("granted");
        let [first, second] = ["one", "two"].map(|key| test.ledger.execute(deduct(&id, 7, key)));
        let (first, second) = tokio::join!(first, second);
        assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    }))
    .await;
    test
}

async fn verify(test: &TestLedger, scope: &AuditScope) -> Verification {
    verify_journal(&test.database.pool(), scope, |_, _| {}).await.expect("the database answers")
}

/// These never change: an account that was looked for in another shard would be opened twice.
#[test]
fn the_part_of_an_account_is_the_same_for_ever() {
    let parts = |slots: i16| {
        let heads: Vec<(i16, i16, i16)> = (0..slots).map(|slot| (slot, slot, slots)).collect();
        let shards = Shards::of_heads(&heads).expect("they are whole");
        ["acme", "account-000001", "user_42", "ada"].map(|id| shards.slot_of(&account(id)))
    };
    assert_eq!(parts(1), [0, 0, 0, 0]);
    assert_eq!(parts(2), [1, 1, 1, 1]);
    assert_eq!(parts(8), [5, 5, 3, 5]);
    assert_eq!(parts(32), [13, 21, 27, 13]);
    assert_eq!(parts(1_024), [941, 949, 699, 781]);
}

#[test]
fn heads_that_do_not_make_a_whole_are_refused() {
    let missing = |heads: &[(i16, i16, i16)]| Shards::of_heads(heads).expect_err("not whole");
    assert_eq!(missing(&[]), ShardMissing::Head { sharding: 0, slots: 1, slot: 0 });
    assert_eq!(missing(&[(0, 0, 2)]), ShardMissing::Head { sharding: 0, slots: 2, slot: 1 });
    assert_eq!(missing(&[(1, 1, 2)]), ShardMissing::Head { sharding: 0, slots: 2, slot: 0 });
    assert_eq!(missing(&[(0, 0, 2), (1, 0, 2)]), ShardMissing::Head { sharding: 0, slots: 2, slot: 1 });
    assert_eq!(missing(&[(0, 0, 1), (1, 1, 2)]), ShardMissing::Head { sharding: 0, slots: 2, slot: 0 });
    assert_eq!(missing(&[(0, 0, 1), (1, 0, 1)]), ShardMissing::Head { sharding: 0, slots: 1, slot: 0 });
}

#[tokio::test]
async fn each_number_falls_into_a_part_of_the_hash_values_of_its_own() {
    let database = TestDatabase::of_shards(32).await;
    let numbers: Vec<i16> = shards(&database.pool()).await.iter().map(|shard| shard.0).collect();
    // As a distributed Postgres was seen to place them.
    let placed = [
        8, 1, 31, 24, 10, 48, 5, 50, 4, 17, 16, 85, 36, 0, 37, 3, 52, 62, 136, 28, 6, 21, 39, 13, 2, 27, 58,
        41, 9, 22, 11, 18,
    ];
    assert_eq!(numbers, placed);
}

#[tokio::test]
async fn each_account_is_in_one_shard_which_has_an_order_of_its_own() {
    let test = eight_shards(40).await;
    let pool = test.database.pool();
    let elsewhere: Vec<String> = sqlx::query_scalar(
        "select aggregate_id from ledger.events join ledger.heads using (shard)
         where ('x' || left(encode(sha256(aggregate_id::bytea), 'hex'), 8))::bit(32)::bigint % slots <> slot",
    )
    .fetch_all(&pool)
    .await
    .expect("an answer");
    assert_eq!(elsewhere, Vec::<String>::new());
    let verified = verify(&test, &AuditScope::WHOLE).await;
    assert!(verified.is_clean(), "{:?}", verified.findings);
    assert_eq!((verified.accounts, verified.shards.len()), (40, 8));
    assert!(verified.shards.iter().filter(|shard| shard.position > 0).count() > 5, "{:?}", verified.shards);
    let ends: Vec<JournalPosition> = heads(&pool).await.iter().collect();
    assert_eq!(
        i64::try_from(verified.events).expect("few"),
        ends.iter().map(|end| end.position.0).sum::<i64>()
    );
    for number in 0..40 {
        let id = account(&format!("a{number}"));
        let view = test.ledger.view(&id).await.expect("readable");
        assert_eq!(view.position.shard, test.ledger.shard_of(&id));
        assert_eq!(view.account.balance(noon()).available.get(), 136, "50 on signing up");
        let replayed = replay(&test.ledger, &id, None).await.expect("readable");
        assert_eq!(replayed.differences, Vec::<String>::new());
    }
    let (restarted, _running) =
        Ledger::start(pool.clone(), music(), Clock::fixed(noon())).await.expect("it starts");
    assert_eq!(restarted.known_heads(), heads(&pool).await);
    let again = restarted.execute(deduct("a7", 7, "one")).await.expect("the same answer");
    assert!(again.replayed);
}

#[tokio::test]
async fn a_shard_that_is_gone_is_noticed() {
    let test = eight_shards(20).await;
    let whole = verify(&test, &AuditScope::WHOLE).await;
    let (gone, kept) = (test.ledger.shard_of(&account("a1")), &whole.shards);
    tamper(&test, &format!("delete from ledger.heads where shard = {}", gone.0)).await;
    let found = verify(&test, &AuditScope::WHOLE).await;
    let problems: Vec<AuditProblem> = found.findings.iter().map(|finding| finding.problem).collect();
    assert_eq!(problems, [AuditProblem::ShardMissing]);
    assert_eq!(found.shards.len(), kept.len() - 1);
    assert_ne!(found.head, whole.head);
    let refused =
        Ledger::start(test.database.pool(), music(), test.clock.clone()).await.err().expect("refused");
    assert!(refused.to_string().contains("the journal has 8 shards"), "{refused}");
}

#[tokio::test]
async fn what_is_changed_in_one_shard_is_found_there() {
    let test = eight_shards(20).await;
    let shard = test.ledger.shard_of(&account("a1"));
    tamper(&test, &format!("delete from ledger.events where shard = {} and position = 2", shard.0)).await;
    let found = verify(&test, &AuditScope::WHOLE).await;
    assert!(!found.findings.is_empty() && found.findings.iter().all(|one| one.shard == Some(shard)));
    assert!(
        found.findings.iter().any(|one| one.problem == AuditProblem::EventMissing && one.position == Some(2))
    );
    let other =
        heads(&test.database.pool()).await.iter().find(|head| head.shard != shard).expect("there are 8");
    let scope = AuditScope { shard: Some(other.shard), ..AuditScope::WHOLE };
    let only = verify(&test, &scope).await;
    assert!(only.is_clean());
    assert_eq!(i64::try_from(only.events).expect("few"), other.position.0);
}

#[tokio::test]
async fn an_audit_of_several_shards_goes_on_from_their_heads() {
    let test = eight_shards(20).await;
    let first = verify(&test, &AuditScope::WHOLE).await;
    let since = first.shards.iter().filter(|end| end.position > 0).map(|end| -> VerifiedHead {
        format!("{}/{}:{}", end.shard.0, end.position, end.head).parse().expect("as it is shown")
    });
    let scope = AuditScope { since: since.collect(), ..AuditScope::WHOLE };
    assert_eq!(verify(&test, &scope).await.events, 0);
    test.ledger.execute(deduct("a3", 1, "later")).await.expect("deducted");
    let later = verify(&test, &scope).await;
    assert_eq!((later.events, later.accounts, later.is_clean()), (1, 1, true));
    assert_eq!(later.head, verify(&test, &AuditScope::WHOLE).await.head);
}

/// A shard without events has no head yet, and is checked from its start.
#[tokio::test]
async fn an_audit_needs_no_heads_of_empty_shards_and_takes_none_of_another() {
    let test = eight_shards(2).await;
    let first = verify(&test, &AuditScope::WHOLE).await;
    let (full, empty): (Vec<_>, Vec<_>) = first.shards.iter().partition(|end| end.position > 0);
    assert!(!empty.is_empty());
    let head = |shard: Shard, position: i64, hash: &str| -> VerifiedHead {
        format!("{}/{position}:{hash}", shard.0).parse().expect("as it is shown")
    };
    let since = full.iter().map(|end| head(end.shard, end.position, &end.head)).collect();
    let scope = AuditScope { since, ..AuditScope::WHOLE };
    let fresh = (0..).map(|number| format!("b{number}"));
    let fresh = fresh
        .filter(|id| empty.iter().any(|end| end.shard == test.ledger.shard_of(&account(id))))
        .take(1)
        .collect::<String>();
    open(&test.ledger, &fresh).await.expect("opened");
    let ends = heads(&test.database.pool()).await;
    let later = verify(&test, &scope).await;
    assert!(later.is_clean(), "{:?}", later.findings);
    let events = ends.of(test.ledger.shard_of(&account(&fresh))).expect("it has some").0;
    assert_eq!((i64::try_from(later.events).expect("few"), later.accounts), (events, 1));

    let (own, other) = (full[0], empty[0].shard);
    let scope = AuditScope { since: vec![head(other, own.position, &own.head)], ..AuditScope::WHOLE };
    let found = verify(&test, &scope).await;
    let problems: Vec<_> = found.findings.iter().map(|one| (one.problem, one.shard)).collect();
    assert_eq!(problems, [(AuditProblem::HeadNotFound, Some(other))]);
}

/// Only the first finding of a kind is shown, of each shard.
#[tokio::test]
async fn what_is_changed_in_two_shards_is_found_in_both() {
    let test = eight_shards(20).await;
    let ends = heads(&test.database.pool()).await;
    let full: Vec<Shard> =
        ends.iter().filter(|end| end.position.0 > 3).map(|end| end.shard).take(2).collect();
    let [one, other] = full.as_slice() else { panic!("{ends:?}") };
    let gone = "delete from ledger.events where position in (2, 3) and shard in";
    tamper(&test, &format!("{gone} ({}, {})", one.0, other.0)).await;
    let found = verify(&test, &AuditScope::WHOLE).await;
    let missing = found.findings.iter().filter(|one| one.problem == AuditProblem::EventMissing);
    let missing: Vec<_> = missing.map(|one| (one.shard, one.position)).collect();
    assert_eq!(missing, [(Some(*one), Some(2)), (Some(*other), Some(2))]);
}

#[tokio::test]
async fn the_number_of_shards_is_chosen_once() {
    let database = TestDatabase::of_shards(8).await;
    let options = database.connect_options();
    migrations::run(&options, None).await.expect("whatever it has");
    migrations::run(&options, Some(8)).await.expect("it has them");
    for asked in [1, 16] {
        let refused = migrations::run(&options, Some(asked)).await.expect_err("it has 8");
        assert!(matches!(refused, MigrationError::Shards { found: 8, .. }), "{refused}");
    }
    assert_eq!(shards(&database.pool()).await.iter().len(), 8);
    let one = TestDatabase::of_shards(1).await;
    assert_eq!(shards(&one.pool()).await.iter().collect::<Vec<_>>(), [Shard(0)]);
}
