//! What can an account do for which billing is off, and what not? Everything is asked of the real sandbox.

use std::collections::BTreeSet;

use counterfoil::domain::{ids::AccountId, rollout::Rollout};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    server::api::coverage::{self, send},
    support::{
        http::Answer,
        shop::{ACME, Shop, pack, plan, with},
    },
};

const OFF: &str = "billing_off_for_account";

fn named(accounts: &[&str]) -> BTreeSet<AccountId> {
    accounts.iter().map(|account| AccountId::parse(account).unwrap()).collect()
}

/// Everybody but these.
pub(super) fn except(accounts: &[&str]) -> Rollout {
    Rollout::new(10_000, BTreeSet::new(), named(accounts))
}

pub(super) fn nobody() -> Rollout {
    Rollout::new(0, BTreeSet::new(), BTreeSet::new())
}

fn assert_off(answer: &Answer) {
    answer.is_problem(403, OFF);
}

/// All that money is, or could be, taken by at the sandbox: each page, payment, charge and subscription with its
/// prices, and what was paid of each invoice.
async fn money(shop: &Shop) -> Vec<String> {
    let mut found = Vec::new();
    for path in ["/v1/checkout/sessions", "/v1/payment_intents", "/v1/charges"] {
        let listed = shop.list(path).await;
        found.extend(listed.iter().map(|object| object["id"].as_str().expect("an id").to_owned()));
    }
    for invoice in shop.list("/v1/invoices").await {
        found.push(format!("{} {}", invoice["id"], invoice["amount_paid"]));
    }
    let all = [("limit", "100"), ("status", "all")];
    let subscriptions = shop.at_stripe(Method::GET, "/v1/subscriptions", &all).await;
    for subscription in subscriptions["data"].as_array().expect("a list") {
        let items = subscription["items"]["data"].as_array().expect("items");
        let items = items.iter().map(|item| format!("{} × {}", item["quantity"], item["price"]["id"]));
        found.push(format!("{} {}", subscription["id"], items.collect::<Vec<_>>().join(", ")));
    }
    found.sort();
    found
}

/// These are refused where they take money, and only there; the tests of both are below.
const IN_SOME_CASES: [&str; 2] = ["create_portal_session", "resume_subscription"];

/// Every operation of the document, with what it succeeds with where billing is on. A new one is among them as soon as
/// it is routed, and fails here if it takes money and was not told of accounts that are off.
#[tokio::test]
async fn no_operation_takes_money_from_an_account_that_is_off() {
    let mut shop = Shop::start().await;
    let asked = coverage::successes(&shop).await;
    shop.settled().await;
    shop.sell_to(nobody()).await;
    let before = money(&shop).await;
    let mut refused = 0;
    for (described, ask) in asked {
        let answer = send(&shop.server, &ask).await;
        let (id, is_refused) = (described.id.as_str(), answer.code() == OFF);
        let is_told = described.codes.iter().any(|code| code.name == OFF);
        assert!(!answer.status.is_server_error(), "{id}: {}", answer.text);
        assert_eq!(is_refused, is_told && !IN_SOME_CASES.contains(&id), "{id}: {}", answer.text);
        refused += u32::from(is_refused);
        shop.settled().await;
        assert_eq!(money(&shop).await, before, "{id} takes money");
    }
    assert_eq!(refused, 6, "there are ways to take money");
}

#[tokio::test]
async fn whoever_is_on_buys_beside_somebody_who_is_off() {
    let mut shop = Shop::start().await;
    shop.server.open("ada").await;
    shop.sell_to(except(&[])).await;
    assert_eq!(shop.checkout("k1", &pack()).await.status, 201);
    shop.sell_to(Rollout::new(0, named(&["ada"]), BTreeSet::new())).await;
    assert_off(&shop.checkout("k2", &pack()).await);
    assert_eq!(shop.checkout_of("ada", "k1", &pack()).await.status, 201);
    shop.sell_to(except(&["ada"])).await;
    assert_eq!(shop.checkout("k2", &pack()).await.status, 201, "what was refused can be asked for again");
    assert_off(&shop.checkout_of("ada", "k2", &pack()).await);
}

/// A refusal makes nobody a customer, and closes no page that is open.
#[tokio::test]
async fn a_refusal_leaves_nothing_behind() {
    let mut shop = Shop::start().await;
    shop.sell_to(nobody()).await;
    assert_off(&shop.checkout("k1", &with(plan(), "email", json!("ada@example.com"))).await);
    assert_off(&shop.server.post(&format!("{ACME}/payments"), json!({ "pack": "pack_500" })).send().await);
    assert_eq!(shop.list("/v1/customers").await, Vec::<Value>::new());
    assert_eq!(shop.calls("%").await, 0, "nothing was written down");
    // Who there is not is told so first.
    shop.checkout_of("nobody", "k1", &pack()).await.is_problem(404, "account_not_found");
}

#[tokio::test]
async fn a_page_that_was_open_is_paid_and_honoured() {
    let mut shop = Shop::start().await;
    let packs = shop.checkout("k1", &pack()).await;
    let team = shop.checkout("k2", &plan()).await;
    let payment = shop.server.post(&format!("{ACME}/payments"), json!({ "pack": "pack_500" })).send().await;
    shop.sell_to(nobody()).await;
    // The same request with the same key is answered the same: the page is there.
    let again = shop.checkout("k1", &pack()).await;
    assert_eq!((again.status.as_u16(), &again.body), (201, &packs.body));
    shop.pay(&packs.body).await;
    shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == 1_050).await;
    shop.pay(&team.body).await;
    shop.until(ACME, |account| account["plan"] == "creator").await;
    shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == 2_550).await;
    // A payment that a browser has can be confirmed there, and not here.
    let payment = payment.body["payment"].as_str().unwrap();
    let confirm = format!("{ACME}/payments/{payment}/confirm");
    let card = json!({ "payment_method": "pm_card_visa", "off_session": true });
    assert_off(&shop.server.post(&confirm, card).send().await);
    let form = [("payment_method", "pm_card_visa"), ("return_url", "https://shop.example")];
    shop.at_stripe(Method::POST, &format!("/v1/payment_intents/{payment}/confirm"), &form).await;
    shop.until(&format!("{ACME}/balance"), |balance| balance["available"] == 3_050).await;
}

#[tokio::test]
async fn a_subscription_goes_on_renews_and_is_cancelled() {
    let mut shop = Shop::subscribed().await;
    shop.sell_to(nobody()).await;
    let account = shop.server.get(ACME).send().await;
    assert_eq!((&account.body["plan"], &account.body["billing"]), (&json!("creator"), &json!("off")));
    let spent = shop.server.post(&format!("{ACME}/deductions"), json!({ "amount": 1_000 })).send().await;
    assert_eq!(spent.status, 201, "{}", spent.text);
    shop.server.grant("acme", 7).await;
    shop.advance("32 days").await;
    shop.until(&format!("{ACME}/balance"), |balance| balance["allocated"] == 1_500 && balance["used"] == 0)
        .await;
    assert_eq!(shop.list("/v1/invoices").await.len(), 2, "the second month is paid");
    assert_eq!(
        shop.server.get(&format!("{ACME}/invoices")).send().await.body["invoices"][0]["status"],
        "paid"
    );
    for (what, body) in [
        ("pause", json!({})),
        ("resume", json!({})),
        ("cancel", json!({ "at": "period_end" })),
        ("cancel/withdraw", json!({})),
        ("cancel", json!({ "at": "now" })),
    ] {
        let answer = shop.amend(what, &format!("{what} {body}").replace(' ', "_"), &body).await;
        assert_eq!(answer.status, 202, "{what}: {}", answer.text);
        shop.settled().await;
    }
    shop.until(&format!("{ACME}/subscription"), |now| now["subscription"]["status"] == "cancelled").await;
}

#[tokio::test]
async fn a_subscription_becomes_less_and_not_more() {
    let mut shop = Shop::subscribed().await;
    shop.sell_to(nobody()).await;
    for more in [json!({ "plan": "team" }), json!({ "quantity": 2 }), json!({ "interval": "year" })] {
        assert_off(&shop.amend("change", &more.to_string(), &more).await);
        assert_off(&shop.amend("change/preview", "unused", &more).await);
    }
    let less = json!({ "plan": "basic" });
    assert_eq!(shop.amend("change/preview", "unused", &less).await.status, 200);
    assert_eq!(shop.amend("change", "less", &less).await.status, 202);
    // What is refused withdraws no change that waits.
    assert_off(&shop.amend("change", "more", &json!({ "plan": "team" })).await);
    let waits = shop.server.get(&format!("{ACME}/subscription/change")).send().await;
    assert_eq!(waits.body["pending"]["plan"], "basic", "{}", waits.text);
    assert_eq!(shop.amend("change/withdraw", "stay", &json!({})).await.status, 202);
}

async fn portal(shop: &Shop, body: Value) -> Answer {
    shop.server.post(&format!("{ACME}/portal-sessions"), body).send().await
}

/// Posts what the page does not show, as somebody would who knows the form.
async fn force(page: &Value, form: &[(&str, &str)]) -> String {
    let answer = reqwest::Client::new().post(page["url"].as_str().unwrap()).form(form).send().await.unwrap();
    answer.text().await.unwrap()
}

pub(super) async fn shown(page: &Value) -> String {
    reqwest::get(page["url"].as_str().unwrap()).await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn the_portal_ends_a_subscription_and_sells_none() {
    let mut shop = Shop::subscribed().await;
    let home = json!({ "return_url": "https://shop.example/account" });
    let whole = portal(&shop, home.clone()).await;
    assert!(shown(&whole.body).await.contains("Change plan"), "on, it offers all");
    shop.sell_to(nobody()).await;
    assert_off(&portal(&shop, with(home.clone(), "plan", json!("team"))).await);
    assert_eq!(
        portal(&shop, with(home.clone(), "plan", json!("basic"))).await.status,
        201,
        "less is no sale"
    );

    let page = portal(&shop, home.clone()).await.body;
    let (text, subscription) = (shown(&page).await, shop.list("/v1/subscriptions").await[0].clone());
    assert!(text.contains("Cancel subscription") && !text.contains("Change plan"), "{text}");
    let id = subscription["id"].as_str().unwrap();
    let team = "price_of_stripe_price_team";
    let forced = force(&page, &[("do", "change"), ("subscription", id), ("price", team)]).await;
    assert!(forced.contains("cannot be done here"), "{forced}");
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let cancel = [("do", "cancel"), ("subscription", id)];
    let done = client.post(page["url"].as_str().unwrap()).form(&cancel).send().await.unwrap();
    assert_eq!(
        done.headers()["location"],
        "https://shop.example/account",
        "it leads back, and to nothing else"
    );
    shop.until(&format!("{ACME}/subscription"), |now| now["subscription"]["cancel_at"].is_string()).await;

    // What ends already has another card to be paid with, and no way to stay and grow.
    let page = portal(&shop, home).await.body;
    let text = shown(&page).await;
    assert!(text.contains("Card number") && !text.contains("subscription\""), "{text}");
    let forced = force(&page, &[("do", "withdraw"), ("subscription", id)]).await;
    assert!(forced.contains("cannot be done here"), "{forced}");
}

#[tokio::test]
async fn the_portal_shows_all_to_whoever_has_no_subscription_to_change() {
    let mut shop = Shop::start().await;
    shop.become_customer().await;
    shop.sell_to(nobody()).await;
    let page = portal(&shop, json!({ "return_url": "https://shop.example" })).await.body;
    let text = shown(&page).await;
    assert!(text.contains("Invoices") && text.contains("Card number"), "{text}");
}

#[tokio::test]
async fn what_stands_still_is_not_resumed_and_what_is_paused_is() {
    let mut shop = Shop::subscribed().await;
    assert_eq!(shop.amend("pause", "k1", &json!({})).await.status, 202);
    shop.settled().await;
    shop.sell_to(nobody()).await;
    assert_eq!(shop.amend("resume", "k2", &json!({})).await.status, 202, "it goes on as it was bought");

    let mut still = Shop::subscribed().await;
    let path = format!("{}/pause", still.path().await);
    still.at_stripe(Method::POST, &path, &[("type", "subscription")]).await;
    still.until(ACME, |account| account["plan"] == "free").await;
    still.advance("40 days").await;
    still.sell_to(nobody()).await;
    let before = money(&still).await;
    assert_off(&still.amend("resume", "k1", &json!({})).await);
    assert_eq!(money(&still).await, before);
    let listed = still.server.get(&format!("{ACME}/subscriptions")).send().await;
    assert_eq!(listed.body["subscriptions"][0]["allowed"], json!(["cancel"]), "{}", listed.text);
    still.sell_to(Rollout::everybody()).await;
    assert_eq!(still.amend("resume", "k1", &json!({})).await.status, 202);
}

/// It may have been done while billing was on. The same key tells, and does it once.
#[tokio::test]
async fn what_nobody_knew_when_it_was_switched_off_is_found_out() {
    let mut shop = Shop::subscribed().await;
    shop.fail(json!([{}, { "cut": true, "after_work": true, "times": 3 }])).await;
    let team = json!({ "plan": "team" });
    shop.amend("change", "k1", &team).await.is_problem(503, "stripe_outcome_unknown");
    shop.fail(json!([])).await;
    shop.sell_to(nobody()).await;
    assert_eq!(shop.amend("change", "k1", &team).await.status, 202);
    shop.until(ACME, |account| account["plan"] == "team").await;
    assert_eq!(shop.list("/v1/invoices").await.len(), 2, "charged once");
}

/// It is known not to have been done: so it is not begun now either.
#[tokio::test]
async fn what_had_not_happened_when_it_was_switched_off_does_not() {
    let mut shop = Shop::subscribed().await;
    let (team, card) =
        (json!({ "plan": "team" }), json!({ "payment_method": "pm_card_visa", "off_session": true }));
    let payment = shop.server.post(&format!("{ACME}/payments"), json!({ "pack": "pack_500" })).send().await;
    let confirm = format!("{ACME}/payments/{}/confirm", payment.body["payment"].as_str().unwrap());
    let pay = async |shop: &Shop| {
        shop.server.post(&confirm, card.clone()).header("idempotency-key", "pay").send().await
    };
    let order = json!({ "pack": "pack_500" });
    let make = async |shop: &Shop| {
        let call = shop.server.post(&format!("{ACME}/payments"), order.clone());
        call.header("idempotency-key", "make").send().await
    };
    let busy = json!({ "status": 429, "times": 3 });
    shop.fail(json!([{}, busy])).await;
    shop.amend("change", "k1", &team).await.is_problem(503, "stripe_unavailable");
    shop.fail(json!([{}, {}, busy])).await;
    pay(&shop).await.is_problem(503, "stripe_unavailable");
    shop.fail(json!([busy])).await;
    make(&shop).await.is_problem(503, "stripe_unavailable");
    shop.fail(json!([busy])).await;
    shop.checkout("k1", &pack()).await.is_problem(503, "stripe_unavailable");
    shop.fail(json!([])).await;
    let before = money(&shop).await;
    shop.sell_to(nobody()).await;
    assert_off(&shop.amend("change", "k1", &team).await);
    assert_off(&pay(&shop).await);
    assert_off(&make(&shop).await);
    assert_off(&shop.checkout("k1", &pack()).await);
    assert_eq!(money(&shop).await, before);
    shop.sell_to(Rollout::everybody()).await;
    assert_eq!(pay(&shop).await.status, 200, "the same key, when it is on again");
    assert_eq!(shop.amend("change", "k1", &team).await.status, 202);
}

/// As the page says it, so that others can compute it.
#[tokio::test]
async fn the_place_is_what_the_statement_on_the_page_says() {
    let shop = Shop::start().await;
    let page = include_str!("../../../../docs/STRIPE.md");
    let (_, rest) = page.split_once("```sql\n").expect("a statement");
    let (statement, _) = rest.split_once("```").expect("its end");
    for account in ["acme", "ada", "3f6c1b1e-5a0e-4d1a-9a53-0c3a4d2f7a01", "A", "user_1:x.y-z"] {
        let place: i64 = sqlx::query_scalar(statement.trim().trim_end_matches(';'))
            .bind(account)
            .fetch_one(&shop.server.test.database.pool())
            .await
            .unwrap();
        let known = counterfoil::domain::rollout::place(&AccountId::parse(account).unwrap());
        assert_eq!(place, i64::from(known), "{account}");
    }
}
