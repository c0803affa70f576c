//! A worker takes credits for some minutes, spends them in parts, and may die.

use std::sync::Arc;

use chrono::TimeDelta;
use futures::{StreamExt, future::join_all, stream};
use serde_json::{Value, json};

use crate::support::{
    http::{Answer, Server},
    ledger::noon,
};

const ACME: &str = "/v1/accounts/acme";

pub(super) async fn started(credits: i64) -> Server {
    let server = Server::start().await;
    server.open("acme").await;
    server.grant("acme", credits - 50).await;
    server
}

async fn hold(server: &Server, amount: i64) -> String {
    let held =
        server.post(&format!("{ACME}/holds"), json!({ "amount": amount, "expires_in_s": 300 })).send().await;
    assert_eq!(held.status, 201, "{}", held.text);
    held.body["hold_id"].as_str().expect("a hold").to_owned()
}

async fn ask(server: &Server, hold: &str, what: &str, body: Value) -> Answer {
    server.post(&format!("{ACME}/holds/{hold}/{what}"), body).send().await
}

/// What is available and what is held.
async fn balance(server: &Server) -> (i64, i64) {
    let balance = server.balance("acme").await;
    (balance["available"].as_i64().unwrap(), balance["held"].as_i64().unwrap())
}

async fn consumed(server: &Server) -> i64 {
    let grants = server.get(&format!("{ACME}/grants")).send().await;
    let grants = grants.body["grants"].as_array().unwrap().iter();
    grants.map(|grant| grant["consumed"].as_i64().unwrap()).sum()
}

#[tokio::test]
async fn a_budget_is_spent_in_parts_topped_up_and_returned() {
    let server = started(1_000).await;
    let id = hold(&server, 300).await;
    let spent = ask(&server, &id, "spend", json!({ "amount": 120, "generation_id": "gen_1" })).await;
    assert_eq!(spent.status, 200, "{}", spent.text);
    assert_eq!(
        (&spent.body["hold_id"], &spent.body["amount"], &spent.body["left"]),
        (&json!(id), &json!(120), &json!(180))
    );
    assert_eq!(spent.body["generation_id"], "gen_1");
    assert_eq!(spent.body["balance"], json!({ "available": 700, "held": 180, "settled": 880, "debt": 0 }));

    let more = ask(&server, &id, "top-up", json!({ "amount": 200, "expires_in_s": 600 })).await;
    assert_eq!(
        (more.status.as_u16(), &more.body["amount"], &more.body["left"]),
        (200, &json!(200), &json!(380)),
        "{}",
        more.text
    );
    assert!(more.body["expires_at"].as_str().unwrap().starts_with("2026-11-20T12:10:00"), "{}", more.text);
    assert_eq!(balance(&server).await, (500, 380));

    let part = ask(&server, &id, "release", json!({ "amount": 80 })).await;
    assert_eq!(
        (&part.body["status"], &part.body["amount"], &part.body["left"]),
        (&json!("open"), &json!(80), &json!(300)),
        "{}",
        part.text
    );
    let listed = server.get(&format!("{ACME}/holds")).send().await;
    let listed = &listed.body["holds"][0];
    let figures = ["amount", "spent", "returned", "left"].map(|name| listed[name].as_i64().unwrap());
    assert_eq!(figures, [500, 120, 80, 300]);

    let committed = ask(&server, &id, "commit", json!({ "amount": 100 })).await;
    assert_eq!(committed.status, 200, "{}", committed.text);
    assert_eq!((balance(&server).await, consumed(&server).await), ((780, 0), 220));
    let late = ask(&server, &id, "spend", json!({ "amount": 1 })).await;
    late.is_problem(409, "hold_already_resolved");
}

#[tokio::test]
async fn a_part_is_spent_once_however_often_it_is_sent() {
    let server = started(1_000).await;
    let id = hold(&server, 300).await;
    for (what, left) in [("spend", 290), ("top-up", 300), ("release", 290)] {
        let path = format!("{ACME}/holds/{id}/{what}");
        let send = |amount: i64| {
            server.post(&path, json!({ "amount": amount })).header("idempotency-key", what).send()
        };
        let first = send(10).await;
        assert_eq!((first.status.as_u16(), &first.body["left"]), (200, &json!(left)), "{}", first.text);
        let again = send(10).await;
        assert_eq!((again.status.as_u16(), &again.body), (200, &first.body));
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        send(11).await.is_problem(422, "idempotency_key_reused");
        let item = json!({ "account": "acme", "command": what.replace('-', "_"), "hold_id": id, "amount": 10,
            "idempotency_key": what });
        let batch = server.post("/v1/commands", json!([item])).send().await;
        assert_eq!(
            (&batch.body[0]["body"], &batch.body[0]["idempotent_replayed"]),
            (&first.body, &json!(true))
        );
    }
    // After it has ended, too.
    let before = server
        .post(&format!("{ACME}/holds/{id}/spend"), json!({ "amount": 10 }))
        .header("idempotency-key", "spend");
    assert_eq!(ask(&server, &id, "release", json!({})).await.status, 200);
    assert_eq!(before.send().await.status, 200);
    assert_eq!(balance(&server).await, (990, 0));
}

#[tokio::test]
async fn a_part_that_cannot_be_is_refused_and_says_what_is_left() {
    let server = started(1_000).await;
    let id = hold(&server, 300).await;
    for what in ["spend", "release"] {
        for amount in [301, i64::MAX] {
            let refused = ask(&server, &id, what, json!({ "amount": amount })).await;
            refused.is_problem(409, "amount_exceeds_hold");
            assert_eq!((&refused.body["left"], &refused.body["requested"]), (&json!(300), &json!(amount)));
        }
    }
    for what in ["spend", "top-up", "release"] {
        for amount in [json!(0), json!(-1), json!(1.5), json!("1"), json!(9_223_372_036_854_775_808_u64)] {
            let refused = ask(&server, &id, what, json!({ "amount": amount })).await;
            refused.is_problem(422, "invalid_request");
            assert_eq!(refused.body["path"], "$.amount");
        }
        let unknown = ask(&server, "hold_99", what, json!({ "amount": 1 })).await;
        unknown.is_problem(404, "hold_not_found");
        let elsewhere = format!("/v1/accounts/nobody/holds/{id}/{what}");
        server.post(&elsewhere, json!({ "amount": 1 })).send().await.is_problem(404, "account_not_found");
    }
    let dear = ask(&server, &id, "top-up", json!({ "amount": 701 })).await;
    dear.is_problem(402, "insufficient_credits");
    assert_eq!(dear.body["available"], 700);
    let long = ask(&server, &id, "top-up", json!({ "amount": 1, "expires_in_s": 86_401 })).await;
    long.is_problem(422, "hold_too_long");
    assert_eq!(balance(&server).await, (700, 300));
    assert_eq!(ask(&server, &id, "release", json!({})).await.body["status"], "released");
    for what in ["spend", "top-up", "release"] {
        let ended = ask(&server, &id, what, json!({ "amount": 1 })).await;
        ended.is_problem(409, "hold_already_resolved");
        assert_eq!(ended.body["outcome"], "released");
    }
}

#[tokio::test]
async fn parts_settle_in_batches() {
    let server = started(1_000).await;
    let (one, other) = (hold(&server, 100).await, hold(&server, 100).await);
    let item = |hold: &str, command: &str, amount: i64| {
        json!({ "account": "acme", "command": command, "hold_id": hold, "amount": amount,
            "idempotency_key": format!("{command}-{hold}-{amount}") })
    };
    let settle = json!([
        item(&one, "spend", 40),
        item(&one, "top_up", 50),
        item(&other, "spend", 101),
        item(&other, "spend", 0),
        item(&other, "release", 10),
        json!({ "account": "acme", "command": "spend", "amount": 1, "idempotency_key": "none" }),
    ]);
    let answer = server.post("/v1/commands", settle).send().await;
    let statuses: Vec<_> =
        answer.body.as_array().unwrap().iter().map(|item| item["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 200, 409, 422, 200, 422], "{}", answer.text);
    assert_eq!(answer.body[2]["body"]["code"], "amount_exceeds_hold");
    assert_eq!(answer.body[5]["body"]["path"], "$.hold_id");
    assert_eq!(balance(&server).await, (760, 200));
}

#[tokio::test]
async fn the_parts_of_a_generation_are_refunded_and_found_by_its_id() {
    let server = started(1_000).await;
    let id = hold(&server, 300).await;
    for (generation, amount) in [("gen_1", 30), ("gen_2", 40), ("gen_1", 50)] {
        let part = json!({ "amount": amount, "generation_id": generation, "description": "a share" });
        assert_eq!(ask(&server, &id, "spend", part).await.status, 200);
    }
    assert_eq!(ask(&server, &id, "release", json!({ "amount": 180 })).await.body["left"], 0);
    let committed = ask(&server, &id, "commit", json!({})).await;
    assert_eq!(committed.body["amount"], 0, "nothing was left to spend: {}", committed.text);
    let refund = json!({ "generation_id": "gen_1", "reason": "failed" });
    let refunded = server.post(&format!("{ACME}/refunds"), refund).send().await;
    assert_eq!((refunded.status.as_u16(), &refunded.body["amount"]), (201, &json!(80)), "{}", refunded.text);
    assert_eq!(refunded.body["deductions"].as_array().unwrap().len(), 2);
    assert_eq!(balance(&server).await, (960, 0));
    let position = refunded.body["position"].as_str().unwrap();
    let lines = server.get(&format!("{ACME}/statement?generation_id=gen_1")).send().await;
    let lines = lines.body["lines"].as_array().unwrap().iter();
    let lines: Vec<_> = lines
        .map(|line| (line["type"].as_str().unwrap().to_owned(), line["amount"].as_i64().unwrap()))
        .collect();
    let expected = [
        ("refund", 30),
        ("refund", 50),
        ("usage", -50),
        ("hold_returned", 50),
        ("usage", -30),
        ("hold_returned", 30),
    ];
    assert_eq!(lines, expected.map(|(kind, amount)| (kind.to_owned(), amount)));
    let usage = server.get(&format!("{ACME}/statement?type=usage")).send().await;
    let spent = usage.body["lines"].as_array().unwrap().iter().filter(|line| line["amount"] != 0);
    assert!(
        spent.clone().count() == 3 && spent.clone().all(|line| line["description"] == "a share"),
        "{}",
        usage.text
    );
    let usage = format!("{ACME}/usage?from=2026-11-20&to=2026-11-20&min_position={position}");
    let usage = server.get(&usage).send().await;
    let day = &usage.body["days"][0];
    assert_eq!(
        (&day["count"], &day["credits"], &day["credits_refunded"]),
        (&json!(3), &json!(120), &json!(80)),
        "{}",
        usage.text
    );
}

/// A worker takes a budget, spends it in parts, tops it up, and ends in one of three ways.
async fn work(server: &Server, number: usize) -> i64 {
    let id = hold(server, 100).await;
    let mut spent = 0;
    for part in 1..=5 {
        let amount = i64::try_from(number % 7 + part).unwrap();
        let settled = ask(server, &id, "spend", json!({ "amount": amount })).await;
        assert_eq!(settled.status, 200, "{}", settled.text);
        spent += amount;
        if number % 3 == part % 3 {
            assert_eq!(
                ask(server, &id, "top-up", json!({ "amount": 20, "expires_in_s": 300 })).await.status,
                200
            );
        }
    }
    match number % 4 {
        0 => assert_eq!(ask(server, &id, "release", json!({})).await.status, 200),
        1 => {
            assert_eq!(ask(server, &id, "commit", json!({ "amount": 3 })).await.status, 200);
            spent += 3;
        }
        // It dies: nobody hears of it again.
        _ => {}
    }
    spent
}

#[tokio::test(flavor = "multi_thread")]
async fn what_workers_that_died_have_not_spent_comes_back_when_their_time_is_over() {
    let server = Arc::new(started(10_000).await);
    let spent: i64 = join_all((0..40).map(|number| work(&server, number))).await.into_iter().sum();
    let (available, held) = balance(&server).await;
    assert!(held > 0, "some have died");
    assert_eq!((available + held, consumed(&server).await), (10_000 - spent, spent));
    server.test.clock.set(noon().plus(TimeDelta::seconds(301)));
    assert_eq!(balance(&server).await, (10_000 - spent, 0), "by the clock, before anybody has noticed");
    let noticed = server.post(&format!("{ACME}/deductions"), json!({ "amount": 1 })).send().await;
    assert_eq!(noticed.status, 201, "{}", noticed.text);
    assert_eq!((balance(&server).await, consumed(&server).await), ((10_000 - spent - 1, 0), spent + 1));
    let holds = server.get(&format!("{ACME}/holds")).send().await;
    assert_eq!(holds.body["holds"], json!([]));
}

const WORKERS: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_workers_spend_from_one_account_and_nothing_is_lost() {
    let server = Arc::new(started(200_000).await);
    let item = |command: &str, number: usize, amount: i64| {
        json!({ "account": "acme", "command": command, "amount": amount,
            "idempotency_key": format!("{command}-{number}-{amount}") })
    };
    let holds: Vec<_> = (0..WORKERS).map(|number| item("hold", number, 100)).collect();
    let held = server.post("/v1/commands", json!(holds)).send().await;
    let held: Vec<String> = held
        .body
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| answer["body"]["hold_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned())
        .collect();
    // Each settles twice, together with others, and one of ten asks for more than it has.
    let rounds = (0..2_i64).flat_map(|round| (0..WORKERS / 50).map(move |group| (round, group)));
    let settled = stream::iter(rounds).map(|(round, group)| {
        let (server, held) = (Arc::clone(&server), &held);
        async move {
            let workers = group * 50..(group + 1) * 50;
            let items: Vec<Value> = workers
                .map(|number| {
                    let amount = if number % 10 == 0 { 60 } else { 40 + round };
                    let mut item = item("spend", number, amount + round * 1_000_000);
                    item["amount"] = json!(amount);
                    item["hold_id"] = json!(held[number]);
                    item
                })
                .collect();
            let answer = server.post("/v1/commands", json!(items)).send().await;
            let spent = answer.body.as_array().unwrap().iter();
            spent
                .map(|answer| match answer["status"].as_u64().unwrap() {
                    200 => answer["body"]["amount"].as_i64().unwrap(),
                    409 => 0,
                    _ => panic!("{answer}"),
                })
                .sum::<i64>()
        }
    });
    let spent: i64 = settled.buffer_unordered(8).collect::<Vec<i64>>().await.into_iter().sum();
    assert_eq!(spent, 900 * (40 + 41) + 100 * 60);
    assert_eq!(balance(&server).await, (100_000, 100_000 - spent));
    assert_eq!(consumed(&server).await, spent);
}

/// A refund of a generation is answered as before, though the generation has more parts than a refund includes by then.
#[tokio::test]
async fn a_refund_that_was_done_is_answered_the_same_when_more_was_spent() {
    let server = started(1_000).await;
    let held = json!({ "amount": 300, "generation_id": "song", "expires_in_s": 300 });
    let held = server.post(&format!("{ACME}/holds"), held).send().await;
    let id = held.body["hold_id"].as_str().expect("a hold").to_owned();
    let part = |number: usize| json!({ "command": "spend", "account": "acme", "hold_id": id, "amount": 1, "idempotency_key": format!("part-{number}") });
    let settled = server.post("/v1/commands", json!((0..100).map(part).collect::<Vec<_>>())).send().await;
    let answers = settled.body.as_array().expect("a list");
    assert!(answers.iter().all(|answer| answer["status"] == 200), "{}", settled.text);

    let body = json!({ "generation_id": "song", "amount": 1, "reason": "failed" });
    let refund = async |key: &str| {
        server.post(&format!("{ACME}/refunds"), body.clone()).header("idempotency-key", key).send().await
    };
    let first = refund("once").await;
    assert_eq!(first.status, 201, "{}", first.text);
    assert_eq!(ask(&server, &id, "spend", json!({ "amount": 1 })).await.status, 200);
    let again = refund("once").await;
    assert_eq!((again.status.as_u16(), &again.body), (201, &first.body), "{}", again.text);
    let other = refund("another").await;
    other.is_problem(409, "too_many_deductions");
    assert_eq!(other.body["deductions_max"], 100);
}
