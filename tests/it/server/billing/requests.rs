//! Who asked for what of a subscription? Each change says it, and each request has its place in the ledger.

use counterfoil::auth::keys::KeyScope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    http::Answer,
    shop::{ACME, Shop},
};

const HISTORY: &str = "/v1/accounts/acme/subscription/history";

/// A key for billing: its secret, and its id.
async fn key(shop: &Shop) -> (String, String) {
    let made =
        shop.server.post("/v1/api-keys", json!({ "name": "shop", "scopes": ["billing"] })).send().await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made.body["secret"]), text(&made.body["key"]["id"]))
}

async fn ask(shop: &Shop, secret: &str, what: &str, body: Value) -> Answer {
    let path = format!("{ACME}/subscription/{what}");
    let call = shop.server.post(&path, body).key(secret).header("idempotency-key", &format!("key_of_{what}"));
    let answer = call.send().await;
    assert_eq!(answer.status, 202, "{what}: {}", answer.text);
    answer
}

fn position(answer: &Answer) -> String {
    answer.body["position"].as_str().unwrap_or_else(|| panic!("no position: {}", answer.text)).to_owned()
}

async fn history(shop: &Shop, since: &str) -> Value {
    let path = format!("{HISTORY}?min_position={since}");
    let history = shop.server.get(&path).send().await;
    assert_eq!(history.status, 200, "{}", history.text);
    history.body
}

/// Where the ledger is.
async fn now(shop: &Shop) -> String {
    shop.server.get(ACME).send().await.body["as_of_position"].as_str().unwrap().to_owned()
}

/// The newest of these changes, by the name of its event.
fn change<'a>(history: &'a Value, name: &str) -> &'a Value {
    let mut changes = history["changes"].as_array().unwrap().iter().rev();
    changes.find(|change| change["type"] == name).unwrap_or_else(|| panic!("no {name}: {history:#}"))
}

#[tokio::test]
async fn each_accepted_change_says_where_to_wait_and_stands_there_with_who_asked() {
    let shop = Shop::subscribed().await;
    let (secret, id) = key(&shop).await;
    let mut last = String::new();
    for (what, body, expected) in [
        (
            "change",
            json!({ "plan": "team", "quantity": 2 }),
            json!({ "step": "change", "plan": "team", "interval": "month", "quantity": 2, "at": null }),
        ),
        (
            "cancel",
            json!({ "at": "period_end" }),
            json!({ "step": "cancel", "plan": null, "at": "period_end" }),
        ),
        ("cancel/withdraw", json!({}), json!({ "step": "withdraw_cancellation", "at": null })),
        ("pause", json!({}), json!({ "step": "pause" })),
        ("resume", json!({}), json!({ "step": "resume" })),
    ] {
        // Nothing is told, so that what is read is what was noted.
        shop.control("faults", json!({ "drop_percent": 100 })).await;
        let answer = ask(&shop, &secret, what, body.clone()).await;
        let since = position(&answer);
        assert_ne!(since, last, "{what}");
        let told = history(&shop, &since).await;
        let request = told["requests"].as_array().unwrap().last().unwrap_or_else(|| panic!("{told:#}"));
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&request[name], value, "{what}: {request}");
        }
        assert_eq!((&request["actor"], &request["position"]), (&json!(id), &json!(since)), "{what}");
        assert_eq!(request["subscription"], answer.body["at_stripe"]["subscription"], "{what}");
        let again = ask(&shop, &secret, what, body).await;
        assert_eq!((position(&again), again.header("idempotent-replayed")), (since.clone(), Some("true")));
        assert_eq!(history(&shop, &since).await["requests"], told["requests"], "{what}: asked for once");
        // What was missed is told by the next report.
        shop.control("faults", json!({ "drop_percent": 0 })).await;
        shop.advance("5 seconds").await;
        let path = shop.path().await;
        shop.at_stripe(Method::POST, &path, &[("metadata[note]", what)]).await;
        shop.settled().await;
        last = since;
    }
    let kept = shop.kept().await;
    assert!(kept.contains(&id) && !kept.contains(&secret), "the key's id is kept, and never the key");
}

#[tokio::test]
async fn each_change_says_who_asked_for_it() {
    let shop = Shop::subscribed().await;
    let (secret, id) = key(&shop).await;
    let answer = ask(&shop, &secret, "change", json!({ "plan": "team" })).await;
    shop.until(ACME, |account| account["plan"] == "team").await;
    ask(&shop, &secret, "cancel", json!({ "at": "period_end" })).await;
    shop.settled().await;
    // Somebody changes their mind in the dashboard.
    let path = shop.path().await;
    shop.at_stripe(Method::POST, &path, &[("cancel_at_period_end", "false")]).await;
    shop.settled().await;
    let (other, other_id) = key(&shop).await;
    let paused = ask(&shop, &other, "pause", json!({})).await;
    shop.settled().await;
    let told = history(&shop, &now(&shop).await).await;
    assert_eq!(change(&told, "SubscriptionStarted")["actor"], "stripe", "on a page of Stripe's");
    assert_eq!(change(&told, "PlanChanged")["actor"], json!(id));
    assert_eq!(change(&told, "CancellationScheduled")["actor"], json!(id));
    assert_eq!(change(&told, "CancellationWithdrawn")["actor"], "stripe", "in the dashboard");
    assert_eq!(change(&told, "SubscriptionPaused")["actor"], json!(other_id));
    let requests = told["requests"].as_array().unwrap();
    let steps: Vec<_> = requests.iter().map(|one| (one["step"].as_str().unwrap(), &one["actor"])).collect();
    assert_eq!(steps, [("change", &json!(id)), ("cancel", &json!(id)), ("pause", &json!(other_id))]);
    assert_eq!(
        (&requests[0]["position"], &requests[2]["position"]),
        (&answer.body["position"], &paused.body["position"])
    );
    let nobodys = shop.server.get(&format!("{HISTORY}?subscription=sub_of_nobody")).send().await;
    assert_eq!((&nobodys.body["changes"], &nobodys.body["requests"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn a_change_that_waits_for_the_end_of_the_period_stands_there_with_who_asked() {
    let shop = Shop::subscribed().await;
    let (secret, id) = key(&shop).await;
    let waiting = ask(&shop, &secret, "change", json!({ "plan": "basic" })).await;
    let withdrawn = ask(&shop, &secret, "change/withdraw", json!({})).await;
    let told = history(&shop, &position(&withdrawn)).await;
    let requests = told["requests"].as_array().unwrap();
    assert_eq!((&requests[0]["step"], &requests[0]["plan"]), (&json!("change"), &json!("basic")));
    assert_eq!(requests[0]["position"], waiting.body["position"]);
    assert_eq!((&requests[1]["step"], &requests[1]["actor"]), (&json!("withdraw_change"), &json!(id)));
}

#[tokio::test]
async fn who_subscribed_an_account_stands_in_its_history() {
    let shop = Shop::start().await;
    let (secret, id) = key(&shop).await;
    let card = json!({ "payment_method": "pm_card_visa" });
    let card = shop.server.post(&format!("{ACME}/payment-methods"), card).send().await;
    let card = card.body["payment_method"].as_str().unwrap().to_owned();
    let order = json!({ "plan": "creator", "interval": "month", "payment_method": card });
    let subscribe = async || {
        let call = shop.server.post(&format!("{ACME}/subscriptions"), order.clone());
        call.key(&secret).header("idempotency-key", "k1").send().await
    };
    let begun = subscribe().await;
    assert_eq!(begun.status, 201, "{}", begun.text);
    shop.until(ACME, |account| account["plan"] == "creator").await;
    let told = history(&shop, &now(&shop).await).await;
    assert_eq!(change(&told, "SubscriptionStarted")["actor"], json!(id));
    let request = &told["requests"][0];
    assert_eq!((&request["step"], &request["plan"]), (&json!("begin"), &json!("creator")));
    assert_eq!((&request["quantity"], &request["actor"]), (&json!(1), &json!(id)));
    assert_eq!(position(&subscribe().await), position(&begun));
}

/// Whoever asked is named also where the answer was lost, and the program has found out by itself.
#[tokio::test]
async fn a_request_whose_outcome_nobody_knew_is_noted_when_it_is_found_out() {
    let shop = Shop::subscribed().await;
    let (secret, id) = key(&shop).await;
    shop.fail(json!([{}, { "cut": true, "after_work": true, "times": 3 }])).await;
    let path = format!("{ACME}/subscription/change");
    let team = || {
        let call = shop.server.post(&path, json!({ "plan": "team" }));
        call.key(&secret).header("idempotency-key", "k1").send()
    };
    team().await.is_problem(503, "stripe_outcome_unknown");
    shop.fail(json!([])).await;
    let noted = async || history(&shop, &now(&shop).await).await["requests"].clone();
    assert_eq!(noted().await, json!([]), "it may not have happened");
    shop.advance("61 seconds").await;
    assert_eq!(shop.resolve().await.done, 1);
    let found = noted().await;
    assert_eq!((&found[0]["step"], &found[0]["actor"]), (&json!("change"), &json!(id)), "{found}");
    assert_eq!(json!(position(&team().await)), found[0]["position"], "whoever comes back is told where");
    let read = shop.server.key([KeyScope::Read], None).await;
    let seen = shop.server.get(HISTORY).key(&read).send().await;
    assert_eq!(seen.body["requests"], found);
}
