//! Is what is decided without a database what the ledger itself would have stored?

use counterfoil::{
    audit::{AuditScope, verify_journal},
    clock::Clock,
    domain::{
        command::{AccountCommand, Command},
        recorded::{Position, Shard},
    },
    journal::{
        append::{self, NewBlock},
        load::LoadedAccount,
    },
    ledger::{IdempotencyKey, OfflineDecisions},
};

use crate::support::{
    database::TestDatabase,
    ledger::{account, deduct, music, noon, request, start},
};

#[tokio::test]
async fn a_history_that_was_decided_offline_passes_its_audit_and_goes_on() {
    let (database, catalog) = (TestDatabase::of_shards(1).await, music());
    let mut connection = database.pool().acquire().await.expect("a connection");
    let mut known = LoadedAccount::nothing(account("acme"));
    let mut decisions = OfflineDecisions::new(Shard(0), &catalog, Position(0));
    let opening = Command::Account(AccountCommand::OpenAccount);
    let requests =
        [request("acme", opening, IdempotencyKey::opening()), deduct("acme", 3, "a"), deduct("acme", 4, "b")];
    for request in requests {
        let (expected, at) = (decisions.last(), noon());
        decisions.decide(request, at, &mut known).expect("it is allowed");
        assert!(!decisions.is_empty());
        let (rows, recorded_at) = decisions.end_block();
        let block = NewBlock { shard: Shard(0), shardings: 1, expected, recorded_at, rows: &rows };
        let appended = append::append(&mut connection, block).await;
        assert_eq!(appended.expect("it is stored"), decisions.last());
    }
    // A refusal adds nothing.
    decisions.decide(deduct("acme", 1_000, "c"), noon(), &mut known).expect_err("there is too little");
    assert_eq!(decisions.len(), 0);

    let (ledger, running) = start(database.pool(), Clock::fixed(noon())).await;
    let view = ledger.view(&account("acme")).await.expect("it is there");
    assert_eq!((&view.account, view.position.position), (&known.state, decisions.last()));
    let repeated = ledger.execute(deduct("acme", 4, "b")).await.expect("it was done");
    assert!(repeated.replayed);
    ledger.execute(deduct("acme", 5, "d")).await.expect("it goes on");
    let verified = verify_journal(&database.pool(), &AuditScope::WHOLE, |_, _| {}).await;
    let verified = verified.expect("the database answers");
    assert_eq!((verified.findings, verified.accounts), (vec![], 1));
    drop(ledger);
    running.finished().await;
}
