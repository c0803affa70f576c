//! Do callers see one ledger after a growth? Balances, statements, lists and positions.

use counterfoil::{http::HttpSettings, journal::grow};
use serde_json::json;

use crate::support::{
    database::TestDatabase,
    http::Server,
    ledger::{TestLedger, music, noon},
    shards::{heads, token},
};

async fn serve(database: TestDatabase) -> Server {
    Server::start_on(TestLedger::on(database, music()).await, HttpSettings::default()).await
}

async fn spend(server: &Server, id: &str) -> String {
    let answer = server.post(&format!("/v1/accounts/{id}/deductions"), json!({ "amount": 2 })).send().await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["position"].as_str().expect("a position").to_owned()
}

#[tokio::test]
async fn callers_see_one_ledger_after_a_growth() {
    let database = TestDatabase::of_shards(1).await;
    let pool = database.pool();
    let before = serve(database.again()).await;
    for id in ["a0", "a1", "a2"] {
        before.open(id).await;
    }
    let told = spend(&before, "a0").await;
    let everything = before.everything().await;
    let shards = before.get("/v1/shards").send().await.body;
    assert_eq!(shards, json!({ "shards": [{ "shard": 0 }], "grown": false }));
    grow::grow(&pool, 4, noon(), |_| {}).await.expect("grown");
    before.stop().await;

    let server = serve(database.again()).await;
    let shards = server.get("/v1/shards").send().await.body;
    assert_eq!((shards["shards"].as_array().map(Vec::len), &shards["grown"]), (Some(5), &json!(true)));
    for id in ["b0", "b1", "b2", "b3", "b4", "b5"] {
        server.open(id).await;
        spend(&server, id).await;
    }
    spend(&server, "a0").await;
    let now = server.everything().await;
    assert_eq!(now.matches('.').count(), 4, "{now}");
    for (id, left) in [("a0", 46), ("a1", 50), ("b0", 48), ("b5", 48)] {
        for min in [&told, &everything, &now] {
            let path = format!("/v1/accounts/{id}/balance?min_position={min}");
            let answer = server.get(&path).send().await;
            assert_eq!((answer.status.as_u16(), &answer.body["available"]), (200, &json!(left)), "{path}");
        }
        let statement = server.get(&format!("/v1/accounts/{id}/statement?min_position={now}")).send().await;
        assert_eq!(statement.status, 200, "{}", statement.body);
    }
    let listed = server.get(&format!("/v1/accounts?limit=100&min_position={now}")).send().await;
    assert_eq!(listed.body["accounts"].as_array().map(Vec::len), Some(9), "{}", listed.body);
    let old = server.get(&format!("/v1/accounts?min_position={told}")).send().await;
    assert_eq!(old.status, 200, "{}", old.body);
    let verified = server.get("/v1/audit/verify").send().await;
    assert_eq!((&verified.body["clean"], &verified.body["position"]), (&json!(true), &json!(now)));
    assert_eq!(token(&heads(&pool).await), now);
    server.stop().await;
}
