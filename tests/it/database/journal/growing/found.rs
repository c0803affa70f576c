//! Does an audit find what is changed about a growth?

use counterfoil::{
    audit::{AuditProblem, AuditScope},
    ledger::Ledger,
};

use super::{assert_clean, grow, started, use_some, verify};
use crate::{
    database::audit::tamper,
    support::{
        database::TestDatabase,
        ledger::{TestLedger, account, music},
    },
};

/// A ledger that was grown, with accounts from before and after.
async fn grown() -> TestLedger {
    let test = TestLedger::on(TestDatabase::of_shards(1).await, music()).await;
    let pool = test.database.pool();
    use_some(&test.ledger, 'a', 10).await;
    grow(&pool, 2).await.expect("grown");
    let (ledger, _running) = started(&pool).await;
    use_some(&ledger, 'b', 10).await;
    assert_clean(&pool).await;
    test
}

async fn problems_after(statement: &str) -> Vec<AuditProblem> {
    let test = grown().await;
    tamper(&test, statement).await;
    let mut problems: Vec<AuditProblem> = verify(&test.database.pool(), &AuditScope::WHOLE)
        .await
        .findings
        .iter()
        .map(|one| one.problem)
        .collect();
    problems.sort();
    problems.dedup();
    problems
}

#[tokio::test]
async fn a_changed_filter_is_found() {
    let cleared = "update ledger.sharding_filters set bits = set_byte(bits, 0, get_byte(bits, 0) # 255)";
    let found = problems_after(cleared).await;
    // The chains of the new shards do not begin with it.
    assert!(found.starts_with(&[AuditProblem::ShardingChanged, AuditProblem::ChainBroken]), "{found:?}");
    let found = problems_after("update ledger.sharding_filters set bits = '\\x'").await;
    assert!(found.contains(&AuditProblem::AccountElsewhere), "{found:?}");
    let found = problems_after("delete from ledger.sharding_filters").await;
    assert!(found.contains(&AuditProblem::ShardingChanged), "{found:?}");
}

#[tokio::test]
async fn a_changed_end_or_hash_or_count_of_a_growth_is_found() {
    let changed = AuditProblem::ShardingChanged;
    let hash = problems_after("update ledger.shardings set hash = sha256(hash)").await;
    assert_eq!(hash, [changed], "the chains still begin with what is kept");
    for statement in [
        "update ledger.shardings set hashes[1] = sha256(hashes[1])",
        "update ledger.shardings set positions[1] = positions[1] - 1",
        "update ledger.shardings set accounts = accounts + 1",
        "update ledger.shardings set slots = 4",
    ] {
        assert_eq!(problems_after(statement).await, [changed, AuditProblem::ChainBroken], "{statement}");
    }
    let untold = "update ledger.heads set shardings = 1 where shard = 0";
    assert_eq!(problems_after(untold).await, [changed]);
    let gone = problems_after("delete from ledger.shardings").await;
    assert_eq!(gone, [AuditProblem::ShardMissing, AuditProblem::ChainBroken]);
}

#[tokio::test]
async fn a_growth_whose_shards_are_all_gone_is_noticed() {
    let test = grown().await;
    tamper(&test, "delete from ledger.heads where sharding = 1").await;
    let pool = test.database.pool();
    let found = verify(&pool, &AuditScope::WHOLE).await;
    assert_eq!(found.findings.first().map(|one| one.problem), Some(AuditProblem::ShardMissing));
    let refused = Ledger::start(pool, music(), test.clock.clone()).await.err().expect("refused");
    assert!(refused.to_string().contains("heads of 1 shardings"), "{refused}");
}

/// What came before a growth is proved by what comes after it, also if all of the old shard is made anew.
#[tokio::test]
async fn an_old_shard_that_is_written_anew_is_found_by_what_the_new_ones_prove() {
    let statement = "delete from ledger.events where shard = 0; delete from ledger.blocks where shard = 0; \
         delete from ledger.snapshots where shard = 0; \
         update ledger.heads set position = 0, block = 0, hash = '' where shard = 0";
    assert_eq!(problems_after(statement).await, [AuditProblem::ShardingChanged]);
}

#[tokio::test]
async fn an_account_in_a_wrong_shard_is_found() {
    let test = TestLedger::on(TestDatabase::of_shards(2).await, music()).await;
    let of = use_some(&test.ledger, 'a', 12).await;
    let heads: Vec<i16> = of.values().map(|shard| shard.0).collect();
    assert!(heads.iter().any(|shard| *shard != heads[0]), "{heads:?}");
    assert_clean(&test.database.pool()).await;
    // Each shard with the accounts of the other one.
    tamper(&test, "update ledger.heads set slot = 1 - slot").await;
    let found = verify(&test.database.pool(), &AuditScope::WHOLE).await;
    assert_eq!(found.findings.len(), 2, "{:?}", found.findings);
    for finding in &found.findings {
        assert_eq!((finding.problem, finding.position), (AuditProblem::AccountElsewhere, Some(1)));
        let id = finding.account.as_ref().expect("it is named");
        assert_eq!(finding.shard, Some(test.ledger.shard_of(&account(id))));
    }
}
