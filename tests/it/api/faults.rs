//! What if the program itself is at fault? Whoever asked is told that it is, and an operator why: once, in the log.

use counterfoil::stripe::billing::Switch;
use serde_json::{Value, json};

use super::server::{Answer, Server};
use crate::{
    billing::shop::{ACME, client, pack, serve},
    stripe::documents::{SHAPES, value},
    support::heard::Heard,
};

/// What PostgreSQL says of a table that is gone, which no caller is to read.
const CAUSE: &str = "does not exist";

/// Takes something away that the program rests on.
async fn lose(server: &Server, table: &str) {
    let sql = format!("alter table {table} rename to lost");
    sqlx::query(&sql).execute(&server.test.database.pool()).await.unwrap();
}

/// The answer says nothing of the cause, and the log says it in one line, which the answer's id leads to.
fn is_logged_once_and_not_sent(heard: &Heard, answer: &Answer, table: &str) {
    answer.is_problem(500, "internal");
    for word in [CAUSE, table, "database", "sqlx"] {
        assert!(!answer.text.contains(word), "{word}: {}", answer.text);
    }
    let id = answer.header("x-request-id").unwrap();
    let lines: Vec<Value> = heard.lines().into_iter().filter(|line| line["request_id"] == *id).collect();
    let [line] = lines.as_slice() else { panic!("{lines:#?}") };
    assert_eq!((&line["level"], &line["code"]), (&json!("ERROR"), &json!("internal")), "{line}");
    assert!(line.to_string().contains(CAUSE) && line.to_string().contains(table), "{line}");
}

#[tokio::test]
async fn a_fault_is_logged_once_with_its_cause_which_is_not_sent() {
    for (table, path) in [
        ("stripe_inbox", "/v1/inbox"),
        ("api_keys", "/v1/api-keys"),
        ("events", "/v1/audit/accounts/acme/replay"),
    ] {
        let server = Server::start().await;
        server.open("acme").await;
        lose(&server, &format!("ledger.{table}")).await;
        let heard = Heard::begin();
        let answer = server.get(path).send().await;
        is_logged_once_and_not_sent(&heard, &answer, table);
    }
}

#[tokio::test]
async fn a_delivery_that_cannot_be_stored_is_refused_so_that_stripe_sends_it_again() {
    let server = Server::start().await;
    lose(&server, "ledger.stripe_inbox").await;
    let heard = Heard::begin();
    let event = value(SHAPES[1], "customer.created.json");
    is_logged_once_and_not_sent(&heard, &server.deliver(&event).await, "stripe_inbox");
}

#[tokio::test]
async fn nothing_is_asked_of_stripe_that_cannot_be_written_down() {
    let gone = "http://127.0.0.1:9";
    let server = serve(Switch::On(client("sk_test_shop", gone))).await;
    lose(&server, "ledger.stripe_calls").await;
    let heard = Heard::begin();
    let answer = server.post(&format!("{ACME}/checkout-sessions"), pack()).send().await;
    is_logged_once_and_not_sent(&heard, &answer, "stripe_calls");
    assert!(heard.lines_of("Stripe has not answered").is_empty());
}

#[tokio::test]
async fn a_refusal_is_no_fault_and_is_not_logged() {
    let server = Server::start().await;
    server.open("acme").await;
    let heard = Heard::begin();
    let answer = server.post(&format!("{ACME}/deductions"), json!({ "amount": 1_000 })).send().await;
    answer.is_problem(402, "insufficient_credits");
    let loud: Vec<Value> = heard.lines().into_iter().filter(|line| line["level"] != "INFO").collect();
    assert!(loud.is_empty(), "{loud:#?}");
}
