//! What if the program is killed while it waits for Stripe? The next start finds out what became of the call.

use std::time::{Duration, Instant};

use counterfoil::{
    clock::Clock,
    sandbox::{Sandbox, SandboxOptions, SeedOffer},
};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{database::TestDatabase, program::Served, shop::pack};

/// Longer than the program takes to start and to look at what is open.
const PATIENCE: Duration = Duration::from_secs(60);
const PRICE: &str = "price_of_the_pack";

struct Street {
    database: TestDatabase,
    sandbox: Sandbox,
    client: reqwest::Client,
}

impl Street {
    async fn open() -> Self {
        let (listen, clock) = ("127.0.0.1:0".parse().unwrap(), Clock::system());
        let options = SandboxOptions { listen, webhook: None, signing_clock: clock.clone(), clock };
        let sandbox = Sandbox::start(options).await.unwrap();
        sandbox.offer(&[SeedOffer {
            product_id: "prod_pack".to_owned(),
            product_name: "Pack".to_owned(),
            price_id: PRICE.to_owned(),
            unit_amount: 600,
            currency: "usd".to_owned(),
            interval: None,
            lookup_key: None,
            metadata: std::collections::BTreeMap::new(),
        }]);
        Self { database: TestDatabase::create().await, sandbox, client: reqwest::Client::new() }
    }

    async fn serve(&self) -> Served {
        let (database, stripe) = (self.database.url(), self.sandbox.url());
        let served = tokio::task::spawn_blocking(move || {
            Served::start(|command| {
                command.env("DATABASE_URL", database).env("STRIPE_API_URL", stripe);
                command.env("STRIPE_SECRET_KEY", "sk_test_street").env("STRIPE_PRICE_PACK_500", PRICE);
            })
        });
        served.await.unwrap()
    }

    async fn fail(&self, faults: Value) {
        let url = format!("{}/_sandbox/faults", self.sandbox.url());
        let set = self.client.post(url).json(&json!({ "api": faults })).send().await.unwrap();
        assert!(set.status().is_success());
    }

    async fn sessions(&self) -> usize {
        let url = format!("{}/v1/checkout/sessions", self.sandbox.url());
        let listed = self.client.get(url).bearer_auth("sk_test_owner").send().await.unwrap();
        listed.json::<Value>().await.unwrap()["data"].as_array().unwrap().len()
    }

    fn checkout(&self, served: &Served, key: &str) -> reqwest::RequestBuilder {
        let url = served.url("/v1/accounts/acme/checkout-sessions");
        self.client.post(url).bearer_auth(key).header("idempotency-key", "k1").json(&pack())
    }
}

async fn until_state(pool: &PgPool, expected: &str) {
    let begin = Instant::now();
    loop {
        let state: Option<String> =
            sqlx::query_scalar("select state from ledger.stripe_calls where operation = 'checkout_session'")
                .fetch_optional(pool)
                .await
                .unwrap();
        if state.as_deref() == Some(expected) {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "it is {state:?}, and not {expected}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_call_that_was_cut_short_by_a_kill_is_completed_by_the_next_start() {
    let street = Street::open().await;
    let (served, pool) = (street.serve().await, street.database.pool());
    let key = served.admin_key().to_owned();
    let opened = street.client.put(served.url("/v1/accounts/acme")).bearer_auth(&key).send().await.unwrap();
    assert_eq!(opened.status(), 201);
    // The customer is made; the session is, too, but nobody hears of it, and the second try hangs.
    street.fail(json!([{}, { "cut": true, "after_work": true }, { "delay_ms": 60_000 }])).await;
    let asked = tokio::spawn(street.checkout(&served, &key).send());
    until_state(&pool, "open").await;
    served.kill();
    assert!(asked.await.unwrap().is_err(), "nobody was answered");

    street.fail(json!([])).await;
    let served = street.serve().await;
    // A minute later.
    sqlx::query("update ledger.stripe_calls set resolve_at = now()").execute(&pool).await.unwrap();
    until_state(&pool, "done").await;
    let told = street.checkout(&served, &key).send().await.unwrap();
    assert_eq!(
        (told.status().as_u16(), &told.headers()["idempotent-replayed"]),
        (201, &"true".parse().unwrap())
    );
    assert_eq!(street.sessions().await, 1);
    let started: i64 =
        sqlx::query_scalar("select count(*) from ledger.events where event_type = 'CheckoutStarted'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(started, 1);
}
