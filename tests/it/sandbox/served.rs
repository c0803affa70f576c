//! `counterfoil serve --sandbox`: from a page to a plan and credits, without an account at Stripe and without a network.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{database::TestDatabase, program::Served};

const PATIENCE: Duration = Duration::from_secs(20);

struct Shop {
    served: Served,
    sandbox: String,
    client: reqwest::Client,
}

impl Shop {
    async fn open(database: &TestDatabase) -> Self {
        let url = database.url();
        let served = tokio::task::spawn_blocking(move || {
            Served::start(|command| {
                command.env("DATABASE_URL", url).arg("--sandbox");
            })
        })
        .await
        .unwrap();
        let sandbox = served.banner["sandbox"].as_str().expect("it names its sandbox").to_owned();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { served, sandbox, client }
    }

    async fn ask(&self, path: &str) -> Value {
        let request = self.client.get(self.served.url(path)).bearer_auth(self.served.admin_key());
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Waits until the ledger answers as expected.
    async fn until(&self, path: &str, enough: impl Fn(&Value) -> bool) -> Value {
        let begin = Instant::now();
        loop {
            let answer = self.ask(path).await;
            if enough(&answer) {
                return answer;
            }
            assert!(begin.elapsed() < PATIENCE, "{path}: {answer:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn a_person_subscribes_on_the_page_and_has_the_plan_and_its_credits() {
    let database = TestDatabase::create().await;
    let shop = Shop::open(&database).await;
    let opened = shop.client.put(shop.served.url("/v1/accounts/acme")).bearer_auth(shop.served.admin_key());
    assert!(opened.send().await.unwrap().status().is_success());
    // As a person does it: what is on sale is on the overview, which leads to the page to pay on.
    let overview = shop.client.get(&shop.sandbox).send().await.unwrap().text().await.unwrap();
    assert!(overview.contains("price_sandbox_basic_month"), "{overview}");
    let form = [("price", "price_sandbox_basic_month"), ("for", "acme")];
    let bought = shop.client.post(format!("{}/buy", shop.sandbox)).form(&form).send().await.unwrap();
    let page = bought.headers()["location"].to_str().unwrap().to_owned();
    let refused =
        [("email", "a@example.com"), ("number", "4000000000000002"), ("expiry", "12/49"), ("cvc", "1")];
    let refused = shop.client.post(&page).form(&refused).send().await.unwrap().text().await.unwrap();
    assert!(refused.contains("Your card was declined."), "{refused}");
    let fields =
        [("email", "ada@example.com"), ("number", "4242424242424242"), ("expiry", "12/49"), ("cvc", "123")];
    let paid = shop.client.post(&page).form(&fields).send().await.unwrap();
    assert_eq!(paid.status().as_u16(), 303);
    let balance = "/v1/accounts/acme/balance";
    shop.until(balance, |answer| answer["available"] == 550).await;
    let subscription = shop.until("/v1/accounts/acme/subscription", |answer| answer["plan"] == "basic").await;
    assert!(subscription.is_object());

    let clock =
        shop.client.post(format!("{}/_sandbox/clock", shop.sandbox)).json(&json!({ "advance": "32 days" }));
    assert!(clock.send().await.unwrap().status().is_success());
    // The month's 500 are carried over, and 500 come: what the plan allows, beside the 50 that came at the start.
    shop.until(balance, |answer| answer["available"] == 1050).await;
}
