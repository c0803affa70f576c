//! Do callers see one ledger where the journal has several shards?

use std::collections::BTreeSet;

use counterfoil::http::HttpSettings;
use serde_json::{Value, json};

use crate::support::{
    database::TestDatabase,
    http::Server,
    ledger::{TestLedger, account, music},
};

const ACCOUNTS: usize = 24;

async fn eight_shards() -> Server {
    let test = TestLedger::on(TestDatabase::of_shards(8).await, music()).await;
    Server::start_on(test, HttpSettings::default()).await
}

async fn deducted(server: &Server, id: &str, amount: i64) -> String {
    let path = format!("/v1/accounts/{id}/deductions");
    let answer = server.post(&path, json!({ "amount": amount })).send().await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["position"].as_str().expect("a position").to_owned()
}

/// What was used by all, as of a position, and the answer's own.
async fn used(server: &Server, min_position: &str) -> (i64, String) {
    let path = format!(
        "/v1/analytics/usage?interval=month&from=2026-11-20&to=2026-11-20&min_position={min_position}"
    );
    let answer = server.get(&path).send().await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let all = answer.body["usage"].as_array().expect("rows");
    let sum = all.iter().map(|row| row["credits"].as_i64().expect("credits")).sum();
    (sum, answer.body["as_of_position"].as_str().expect("a position").to_owned())
}

#[tokio::test]
async fn what_any_shard_has_acknowledged_is_in_an_answer_about_all() {
    let server = eight_shards().await;
    let ids: Vec<String> = (0..ACCOUNTS).map(|number| format!("a{number}")).collect();
    let ledger = &server.test.ledger;
    let shards: BTreeSet<_> = ids.iter().map(|id| ledger.shard_of(&account(id))).collect();
    assert!(shards.len() > 5, "{shards:?}");
    let mut sum = 0;
    let mut last = "p0-0".to_owned();
    for id in &ids {
        server.open(id).await;
        let position = deducted(&server, id, 2).await;
        sum += 2;
        // The earlier ones are in it by the position of the last answer about all.
        let (before, _) = used(&server, &last).await;
        assert!(before >= sum - 2, "{before} of {sum}");
        let (all, as_of) = used(&server, &position).await;
        assert!(all >= 2, "{id}: {all}");
        last = as_of;
    }
    let everything = server.everything().await;
    let (all, as_of) = used(&server, &everything).await;
    assert_eq!((all, as_of), (sum, everything.clone()));

    let listed = server.get(&format!("/v1/accounts?limit=100&min_position={everything}")).send().await;
    assert_eq!(listed.body["accounts"].as_array().map(Vec::len), Some(ACCOUNTS));
    // The position of an answer about all is one that any account has reached, too.
    for id in &ids {
        let balance = format!("/v1/accounts/{id}/balance?min_position={everything}");
        let answer = server.get(&balance).send().await;
        assert_eq!((answer.status.as_u16(), &answer.body["available"]), (200, &json!(48)), "{id}");
        let statement = format!("/v1/accounts/{id}/statement?min_position={everything}");
        assert_eq!(server.get(&statement).send().await.status, 200);
        let usage =
            format!("/v1/accounts/{id}/usage?from=2026-11-20&to=2026-11-20&min_position={everything}");
        let answer = server.get(&usage).send().await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let verified = server.get("/v1/audit/verify").send().await;
    assert_eq!((&verified.body["clean"], &verified.body["position"]), (&json!(true), &json!(everything)));
}

#[tokio::test]
async fn a_position_of_a_shard_that_is_not_there_is_refused_and_one_that_is_malformed_too() {
    let server = eight_shards().await;
    server.open("acme").await;
    let code = async |min_position: &str| {
        let answer =
            server.get(&format!("/v1/accounts/acme/balance?min_position={min_position}")).send().await;
        answer.body.get("code").and_then(Value::as_str).unwrap_or("none").to_owned()
    };
    assert_eq!(code("p0-0.1-0").await, "none");
    for unknown in ["p999-0", "p0-0.999-0", "p0-99999", "p0-0.1-99999"] {
        assert_eq!(code(unknown).await, "position_unknown", "{unknown}");
    }
    for malformed in ["p1-0.0-0", "p0-0.0-0", "p0-0.", "p0-0.1", "p", "p0-0.01-0", "p-1-0", "v0-0"] {
        assert_eq!(code(malformed).await, "invalid_parameter", "{malformed}");
    }
}

#[tokio::test]
async fn a_batch_of_commands_for_accounts_of_all_shards_is_answered_in_order() {
    let server = eight_shards().await;
    for number in 0..ACCOUNTS {
        server.open(&format!("a{number}")).await;
    }
    let commands: Vec<Value> = (0..ACCOUNTS)
        .map(|number| {
            json!({ "account": format!("a{number}"), "idempotency_key": format!("k{number}"),
                    "command": "deduct", "amount": number + 1 })
        })
        .collect();
    let answer = server.post("/v1/commands", json!(commands)).send().await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let results = answer.body.as_array().expect("results");
    for (number, result) in results.iter().enumerate() {
        assert_eq!(result["body"]["amount"], json!(number + 1), "{result}");
    }
}

/// What commands of one shard wait for does not keep those of others waiting.
#[tokio::test]
async fn a_shard_that_does_not_answer_holds_up_its_own_accounts_only() {
    let server = eight_shards().await;
    let ids: Vec<String> = (0..ACCOUNTS).map(|number| format!("a{number}")).collect();
    for id in &ids {
        server.open(id).await;
    }
    let stuck = server.test.ledger.shard_of(&account("a0"));
    let mut before = server.test.database.pool().begin().await.expect("the database answers");
    let lock = "select from ledger.heads where shard = $1 for update";
    sqlx::query(lock).bind(stuck.0).execute(&mut *before).await.expect("locked");
    let waits = server.post("/v1/accounts/a0/deductions", json!({ "amount": 1 })).send();
    let others = async {
        for id in ids.iter().filter(|id| server.test.ledger.shard_of(&account(id)) != stuck) {
            deducted(&server, id, 1).await;
        }
        let begun = std::time::Instant::now();
        loop {
            let ready = server.get("/readyz").without_key().send().await;
            assert_eq!(ready.status, 200, "{}", ready.body);
            if ready.body.get("shards_not_answering") == Some(&json!([stuck.0])) {
                break;
            }
            assert!(begun.elapsed().as_secs() < 20, "{}", ready.body);
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        before.rollback().await.expect("unlocked");
    };
    let (answer, ()) = tokio::join!(waits, others);
    assert_eq!(answer.status, 201, "it was only late: {}", answer.body);
}
