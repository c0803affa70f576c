//! What if Stripe is not configured, on purpose or by mistake?

use counterfoil::{
    clock::Clock,
    sandbox::{Sandbox, SandboxOptions},
    stripe::outbound::{Billing, BillingMode},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{
    documents::{SHAPES, value},
    shop::{ACME, Shop, client, plan, serve},
};

async fn is_answered(switch: BillingMode, code: &str) {
    let server = serve(switch).await;
    server.post(&format!("{ACME}/checkout-sessions"), plan()).send().await.is_problem(503, code);
    let portal = json!({ "return_url": "https://shop.example" });
    let answer = server.post(&format!("{ACME}/portal-sessions"), portal).send().await;
    // Who is no customer is told so before Stripe is asked.
    assert!([code, "no_customer"].contains(&answer.code()), "{}", answer.text);
    for path in ["customer", "payment-methods", "payments", "payments/pi_1", "invoices"] {
        let answer = server.get(&format!("{ACME}/{path}")).send().await;
        assert!([code, "no_customer"].contains(&answer.code()) || answer.status == 200, "{}", answer.text);
    }
    let payment = json!({ "pack": "pack_500" });
    server.post(&format!("{ACME}/payments"), payment).send().await.is_problem(503, code);
    let card = json!({ "payment_method": "pm_card_visa" });
    server.post(&format!("{ACME}/payment-methods"), card).send().await.is_problem(503, code);
    let product = json!({ "product": "studio", "name": "Studio" });
    server.post("/v1/products", product).send().await.is_problem(503, code);
    assert_eq!(server.get("/v1/products").send().await.status, 200, "a pricing page is shown all the same");
    let told = server.deliver(&value(SHAPES[1], "customer.created.json")).await;
    assert_eq!(told.status, 200, "webhooks are taken all the same");
    let spent = server.post(&format!("{ACME}/deductions"), json!({ "amount": 1 })).send().await;
    assert_eq!(spent.status, 201, "credits are spent all the same");
}

#[tokio::test]
async fn billing_can_be_switched_off() {
    is_answered(BillingMode::Off, "billing_off").await;
}

#[tokio::test]
async fn without_a_key_nothing_can_be_bought() {
    is_answered(BillingMode::NotConfigured, "billing_not_configured").await;
}

#[tokio::test]
async fn trap_33_a_key_that_stripe_does_not_take_is_the_operators_to_replace() {
    let (listen, clock) = ("127.0.0.1:0".parse().unwrap(), Clock::system());
    let options = SandboxOptions { listen, webhook: None, signing_clock: clock.clone(), clock };
    let sandbox = Sandbox::start(options).await.unwrap();
    // The sandbox refuses live keys.
    is_answered(BillingMode::On(client("sk_live_shop", &sandbox.url())), "billing_not_configured").await;
}

/// Keys of calls belong to the account at Stripe, and not to the key that they were asked with.
#[tokio::test]
async fn what_was_asked_under_the_old_key_goes_on_under_the_new_one_and_is_done_once() {
    let shop = Shop::subscribed().await;
    shop.fail(json!([{}, { "cut": true, "after_work": true, "times": 3 }])).await;
    shop.amend("change", "k1", &json!({ "plan": "team" })).await.is_problem(503, "stripe_outcome_unknown");
    shop.fail(json!([])).await;
    shop.advance("61 seconds").await;

    let (ledger, pool) = (shop.server.test.ledger.clone(), shop.server.test.database.pool());
    let rotated = |key: &str| {
        let switch = BillingMode::On(client(key, &shop.sandbox.url()));
        Billing::new(switch, pool.clone(), ledger.clone())
    };
    let stop = CancellationToken::new();
    // The old key has ended, and nothing has happened to what was asked with it.
    let ended = rotated("sk_live_ended").resolve(&stop).await.unwrap();
    assert_eq!((ended.done, ended.open), (0, 1));
    shop.advance("5 minutes").await;
    let done = rotated("sk_test_new").resolve(&stop).await.unwrap();
    assert_eq!((done.done, done.open), (1, 0));
    shop.until(ACME, |account| account["plan"] == "team").await;
    assert_eq!(shop.list("/v1/invoices").await.len(), 2, "charged once");
    assert_eq!(shop.amend("change", "k1", &json!({ "plan": "team" })).await.status, 202);
}
