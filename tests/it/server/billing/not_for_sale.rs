//! What is shown to an account to which nothing is sold?

use counterfoil::{domain::rollout::Rollout, stripe::outbound::BillingMode};
use serde_json::{Value, json};

use super::rollout::{except, nobody};
use super::top_ups;
use crate::support::shop::{ACME, Shop, pack};

/// Each `for_sale` in a document.
fn for_sale(document: &Value) -> Vec<bool> {
    let mut found = Vec::new();
    let mut left = vec![document];
    while let Some(value) = left.pop() {
        found.extend(value.get("for_sale").and_then(Value::as_bool));
        left.extend(value.as_object().into_iter().flat_map(|object| object.values()));
        left.extend(value.as_array().into_iter().flatten());
    }
    found
}

const SHOWN: [&str; 4] = ["/v1/catalog", "/v1/products", "/v1/prices", "/v1/products/creator"];

async fn is_shown(shop: &Shop, query: &str, billing: &str, is_for_sale: bool) {
    for path in SHOWN {
        let answer = shop.server.get(&format!("{path}{query}")).without_key().send().await;
        let shown = for_sale(&answer.body);
        assert!(
            !shown.is_empty() && shown.iter().all(|one| *one == is_for_sale),
            "{path}{query}: {}",
            answer.text
        );
        let told = answer.body.get("billing").and_then(Value::as_str);
        assert!(told.is_none_or(|told| told == billing), "{path}{query}: {}", answer.text);
        assert_eq!(told.is_none(), path.ends_with("creator"));
    }
}

#[tokio::test]
async fn nothing_is_for_sale_where_it_is_off() {
    let mut shop = Shop::selling(top_ups::catalog()).await;
    is_shown(&shop, "", "on", true).await;
    is_shown(&shop, "?account=acme", "on", true).await;
    shop.sell_to(except(&["acme"])).await;
    is_shown(&shop, "", "partly", true).await;
    is_shown(&shop, "?account=acme", "off", false).await;
    is_shown(&shop, "?account=ada", "on", true).await;
    shop.sell_to(nobody()).await;
    is_shown(&shop, "", "off", false).await;
    shop.restart(BillingMode::Off, Rollout::everybody()).await;
    is_shown(&shop, "", "off", false).await;
    is_shown(&shop, "?account=ada", "off", false).await;
    shop.checkout("k1", &pack()).await.is_problem(503, "billing_off");
    for path in SHOWN {
        let unknown = shop.server.get(&format!("{path}?acount=acme")).without_key().send().await;
        unknown.is_problem(400, "invalid_parameter");
    }
}

#[tokio::test]
async fn an_account_and_its_overview_say_whether_it_is_on() {
    let mut shop = Shop::start().await;
    let told = async |shop: &Shop| {
        let account = shop.server.get(ACME).send().await.body["billing"].clone();
        let overview = shop.server.get(&format!("{ACME}/overview?ask_stripe=false")).send().await;
        assert_eq!(overview.body["billing"], account);
        account
    };
    assert_eq!(told(&shop).await, "on");
    shop.sell_to(except(&["acme"])).await;
    assert_eq!(told(&shop).await, "off");
    shop.restart(BillingMode::Off, Rollout::everybody()).await;
    assert_eq!(told(&shop).await, "off");
}

#[tokio::test]
async fn nobody_is_told_to_buy_what_is_not_sold_to_them() {
    let mut shop = Shop::start().await;
    let asked = [
        (
            "generations",
            "generate",
            json!({ "type": "stem_separation", "generation_id": "gen_1" }),
            "plans",
            json!([]),
        ),
        ("deductions", "deduct", json!({ "amount": 1_000 }), "upgrade", Value::Null),
    ];
    let quote = json!({ "type": "stem_separation" });
    for is_on in [true, false] {
        if !is_on {
            shop.sell_to(nobody()).await;
        }
        for (what, command, body, member, nothing) in &asked {
            let refused = shop.server.post(&format!("{ACME}/{what}"), body.clone()).send().await;
            assert_eq!(refused.body[member] == *nothing, !is_on, "{}", refused.text);
            let mut item = body.clone();
            item["command"] = json!(command);
            item["account"] = json!("acme");
            item["idempotency_key"] = json!("in_a_batch");
            let batch = shop.server.post("/v1/commands", json!([item])).send().await;
            assert_eq!(batch.body[0]["body"][member] == *nothing, !is_on, "{}", batch.text);
        }
        let quoted = shop.server.post(&format!("{ACME}/quote"), quote.clone()).send().await;
        assert_eq!(quoted.body["refusal"]["plans"] == json!([]), !is_on, "{}", quoted.text);
    }
}
