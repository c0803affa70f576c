//! Accounts that were kept elsewhere, over HTTP.

use serde_json::json;

use super::server::Server;

#[tokio::test]
async fn an_account_is_imported_once_by_its_route_and_in_batches() {
    let server = Server::start().await;
    let ada = json!({
        "as_of": "2026-06-01T00:00:00Z",
        "metadata": { "segment": "studio" },
        "customer": "cus_1",
        "grants": [
            { "source": "allocation", "amount": 300, "expires_at": "2099-01-01T00:00:00Z" },
            { "source": "top_up", "amount": 150, "cost": { "minor": 300, "currency": "usd" } },
        ],
        "debt": 100,
    });
    let path = "/v1/accounts/ada/import";
    let first = server.post(path, ada.clone()).send().await;
    assert_eq!(first.status, 201, "{}", first.text);
    assert_eq!(
        (&first.body["balance"]["available"], &first.body["balance"]["debt"]),
        (&json!(350), &json!(0))
    );
    assert_eq!(first.body["metadata"]["segment"], "studio");
    let again = server.post(path, ada.clone()).send().await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &first.body));
    let mut item = ada.clone();
    item["account"] = json!("ada");
    item["command"] = json!("import");
    let other = json!({ "account": "ada", "command": "import", "grants": [] });
    let new = json!({ "account": "bob", "command": "import", "grants": [] });
    let batch = server.post("/v1/commands", json!([item, other, new])).send().await;
    let statuses: Vec<_> =
        batch.body.as_array().unwrap().iter().map(|answer| answer["status"].clone()).collect();
    assert_eq!(statuses, [200, 409, 201], "{}", batch.text);
    assert_eq!(batch.body[1]["body"]["code"], "account_already_open");
    // It is an account like any other from then on, and who opens it gets it as it is.
    let opened = server.open("ada").await;
    assert_eq!(opened.body["balance"]["available"], 350, "{}", opened.text);
    server.open("cleo").await;
    server.post("/v1/accounts/cleo/import", json!({})).send().await.is_problem(409, "account_already_open");
}

#[tokio::test]
async fn what_does_not_fit_is_said_where_it_is() {
    let server = Server::start().await;
    for (grant, place) in [
        (json!({ "source": "allocation", "amount": 1, "subscription": "sub_1" }), "plan"),
        (json!({ "source": "allocation", "amount": 1, "plan": "pro" }), "subscription"),
        (json!({ "source": "bonus", "amount": 1, "subscription": "sub_1", "plan": "pro" }), "subscription"),
        (
            json!({ "source": "allocation", "amount": 1, "subscription": "sub_1", "plan": "pro" }),
            "expires_at",
        ),
        (
            json!({ "source": "top_up", "amount": 1, "cost": { "minor": -1, "currency": "usd" } }),
            "cost.minor",
        ),
    ] {
        let answer = server.post("/v1/accounts/ada/import", json!({ "grants": [grant] })).send().await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert!(answer.text.contains(&format!("$.grants[0].{place}")), "{}", answer.text);
    }
    let many = vec![json!({ "source": "bonus", "amount": 1 }); 201];
    let answer = server.post("/v1/accounts/ada/import", json!({ "grants": many })).send().await;
    assert_eq!(answer.status, 422, "{}", answer.text);
}
