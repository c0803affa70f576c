//! What if the program itself is at fault? Whoever asked is told that it is, and an operator why: once, in the log.

use counterfoil::stripe::outbound::BillingMode;
use serde_json::{Value, json};

use crate::{
    database::audit::tamper,
    support::{
        documents::{SHAPES, value},
        heard::Heard,
        http::{Answer, Server},
        ledger::{open, start},
        shop::{ACME, client, pack, serve},
    },
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

/// Refuses what is written to a table, as a full disk does.
async fn fill(server: &Server, table: &str) {
    let pool = server.test.database.pool();
    for sql in [
        "create or replace function public.full() returns trigger language plpgsql as \
         $$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$",
        &format!(
            "create trigger full_disk before insert on {table} for each row execute function public.full()"
        ),
    ] {
        sqlx::query(sql).execute(&pool).await.unwrap();
    }
}

async fn empty(server: &Server, table: &str) {
    let sql = format!("drop trigger full_disk on {table}");
    sqlx::query(&sql).execute(&server.test.database.pool()).await.unwrap();
}

#[tokio::test]
async fn while_the_disk_is_full_callers_are_told_to_come_back_and_the_server_is_not_ready() {
    let server = Server::of_one_shard().await;
    server.open("acme").await;
    for table in ["ledger.events", "ledger.stripe_inbox", "ledger.api_keys"] {
        fill(&server, table).await;
    }
    let deduct = || server.post("/v1/accounts/acme/deductions", json!({ "amount": 1 })).send();
    let key = || server.post("/v1/api-keys", json!({ "name": "n", "scopes": ["read"] })).send();
    let event = value(SHAPES[1], "customer.created.json");
    for answer in [deduct().await, server.deliver(&event).await, key().await] {
        answer.is_problem(503, "unavailable");
        assert!(answer.header("retry-after").is_some(), "{}", answer.text);
    }
    let readiness = server.get("/readyz").without_key().send().await;
    assert_eq!((readiness.status.as_u16(), &readiness.body["database"]), (503, &json!(false)));
    for table in ["ledger.events", "ledger.stripe_inbox", "ledger.api_keys"] {
        empty(&server, table).await;
    }
    assert_eq!(deduct().await.status, 201);
    assert_eq!(server.deliver(&event).await.status, 200);
    assert_eq!(key().await.status, 201);
    assert_eq!(server.balance("acme").await["available"], 49);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(server.get("/readyz").without_key().send().await.status, 200);
}

/// The database answers, and the one who decides is not getting on.
#[tokio::test]
async fn while_commands_wait_and_none_is_answered_the_server_is_not_ready() {
    let server = Server::of_one_shard().await;
    server.open("acme").await;
    let readiness = async || {
        let answer = server.get("/readyz").without_key().send().await;
        (answer.status.as_u16(), answer.body)
    };
    assert_eq!(readiness().await.1["commands_stuck_s"], 0);
    let mut before = server.test.database.pool().begin().await.unwrap();
    let head = "select position from ledger.heads for update";
    sqlx::query(head).execute(&mut *before).await.unwrap();
    let deduct = server.post("/v1/accounts/acme/deductions", json!({ "amount": 1 })).send();
    let looks = async {
        let begun = std::time::Instant::now();
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            let (status, body) = readiness().await;
            if status == 503 {
                assert!(begun.elapsed().as_secs() >= 2, "{body}");
                assert_eq!((&body["status"], &body["database"]), (&json!("not_ready"), &json!(true)));
                assert!(body["commands_stuck_s"].as_i64().unwrap() >= 3, "{body}");
                break;
            }
            assert!(begun.elapsed().as_secs() < 12, "{body}");
        }
        before.rollback().await.unwrap();
    };
    let (deducted, ()) = tokio::join!(deduct, looks);
    assert_eq!(deducted.status, 201, "{}", deducted.text);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let (status, body) = readiness().await;
    assert_eq!((status, &body["commands_stuck_s"]), (200, &json!(0)), "{body}");
}

/// An audit that nobody waits for any more goes on, and so keeps its turn.
#[tokio::test]
async fn audits_take_turns_and_one_whose_caller_has_gone_keeps_its_own_until_it_ends() {
    let server = Server::start().await;
    server.open("acme").await;
    let mut before = server.test.database.pool().begin().await.unwrap();
    sqlx::query("lock table ledger.blocks in access exclusive mode").execute(&mut *before).await.unwrap();
    let verify = || server.get("/v1/audit/verify").send();
    for _ in 0..2 {
        let hung_up = tokio::time::timeout(std::time::Duration::from_millis(300), verify()).await;
        assert!(hung_up.is_err(), "it waits for the table");
    }
    for busy in [verify().await, server.get("/v1/audit/accounts/acme/replay").send().await] {
        busy.is_problem(503, "audit_busy");
        assert!(busy.header("retry-after").is_some());
    }
    before.rollback().await.unwrap();
    let begun = std::time::Instant::now();
    loop {
        let answer = verify().await;
        if answer.status == 200 {
            assert_eq!(answer.body["clean"], true, "{}", answer.text);
            return;
        }
        answer.is_problem(503, "audit_busy");
        assert!(begun.elapsed().as_secs() < 30, "its turn never ends");
    }
}

#[tokio::test]
async fn nothing_is_asked_of_stripe_that_cannot_be_written_down() {
    let gone = "http://127.0.0.1:9";
    let server = serve(BillingMode::On(client("sk_test_shop", gone))).await;
    lose(&server, "ledger.stripe_calls").await;
    let heard = Heard::begin();
    let answer = server.post(&format!("{ACME}/checkout-sessions"), pack()).send().await;
    is_logged_once_and_not_sent(&heard, &answer, "stripe_calls");
    assert!(heard.lines_of("a call to Stripe has failed").is_empty());
}

/// The other commands of the batch are answered, and only the one that failed is said to.
#[tokio::test]
async fn a_command_of_a_batch_that_fails_is_logged_once_with_its_place_and_its_cause_is_not_sent() {
    let server = Server::start().await;
    server.open("acme").await;
    lose(&server, "ledger.events").await;
    let heard = Heard::begin();
    let refund = json!({
        "command": "refund", "account": "acme", "deduction_id": "ded_3", "reason": "failed", "idempotency_key": "k1",
    });
    let negative = json!({ "command": "deduct", "account": "acme", "amount": -1, "idempotency_key": "k2" });
    let answer = server.post("/v1/commands", json!([negative, refund])).send().await;
    assert_eq!((&answer.body[0]["status"], &answer.body[1]["status"]), (&json!(422), &json!(500)));
    assert!(!answer.text.contains(CAUSE) && !answer.text.contains("events"), "{}", answer.text);
    let line = heard.line("a command of a batch failed");
    assert_eq!((&line["request_id"], &line["index"]), (&json!(answer.header("x-request-id")), &json!(1)));
    assert!(line.to_string().contains(CAUSE), "{line}");
}

/// Its status was sent before anything was known to be wrong.
#[tokio::test]
async fn a_stream_of_events_that_cannot_be_read_on_is_cut_and_the_log_says_why() {
    let server = Server::start().await;
    server.open("acme").await;
    server.grant("acme", 2_000).await;
    let one = |number: u32| json!({ "command": "deduct", "account": "acme", "amount": 1, "idempotency_key": number.to_string() });
    // A hundred at a time: a slow machine could not answer for all of them in time.
    for hundred in 0..10 {
        let numbers = hundred * 100..(hundred + 1) * 100;
        let answer =
            server.post("/v1/commands", json!(numbers.map(one).collect::<Vec<Value>>())).send().await;
        assert_eq!(answer.status, 200);
        let statuses = answer.body.as_array().unwrap().iter().map(|one| &one["status"]);
        assert!(statuses.clone().all(|status| *status == json!(201)), "{}", answer.text);
    }
    tamper(&server.test, "update ledger.events set payload = '{}' where sequence = 1002").await;
    let heard = Heard::begin();
    let url = format!("{}/v1/accounts/acme/events", server.address);
    let request = reqwest::Client::new().get(url).bearer_auth(&server.admin);
    let stream = request.header("accept", "application/x-ndjson").send().await.unwrap();
    assert_eq!(stream.status(), 200);
    assert!(stream.text().await.is_err(), "nobody takes a part for the whole");
    let line = heard.line("a stream of events was cut");
    assert_eq!(
        (&line["level"], &line["account"], &line["after"]),
        (&json!("ERROR"), &json!("acme"), &json!(1_000))
    );
    assert!(line["error"].is_string(), "{line}");
}

/// Callers are told that a person has to look; what is wrong is for that person.
#[tokio::test]
async fn what_is_wrong_with_a_damaged_account_is_logged_once_and_not_sent() {
    let server = Server::start().await;
    let (other, _running) = start(server.test.database.pool(), server.test.clock.clone()).await;
    open(&other, "acme").await.unwrap();
    tamper(&server.test, "delete from ledger.events where sequence = 1").await;
    let heard = Heard::begin();
    let answer = server.post(&format!("{ACME}/deductions"), json!({ "amount": 1 })).send().await;
    answer.is_problem(500, "account_damaged");
    let line = heard.line("accounts cannot be loaded");
    assert_eq!(line["level"], "ERROR");
    let cause = line["error"].as_str().unwrap();
    assert!(!answer.text.contains(cause), "{}", answer.text);
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
