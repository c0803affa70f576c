//! `counterfoil serve --sandbox`: from a page to a plan and credits, without an account at Stripe and without a
//! network.

use std::{
    process::Output,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{
    database::TestDatabase,
    program::{self, Served},
};

const PATIENCE: Duration = Duration::from_secs(20);
const KEY: &str = "only-for-these-tests-and-for-no-others";
const BALANCE: &str = "/v1/accounts/acme/balance";

pub struct Shop {
    served: Served,
    pub sandbox: String,
    client: reqwest::Client,
}

impl Shop {
    pub async fn open(database: &TestDatabase) -> Self {
        let url = database.url();
        let served = tokio::task::spawn_blocking(move || {
            Served::start(|command| {
                command.env("DATABASE_URL", url).env("COUNTERFOIL_BOOTSTRAP_KEY", KEY).arg("--sandbox");
            })
        })
        .await
        .unwrap();
        let sandbox = served.banner["sandbox"].as_str().expect("it names its sandbox").to_owned();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { served, sandbox, client }
    }

    pub async fn ask(&self, path: &str) -> Value {
        let request = self.client.get(self.served.url(path)).bearer_auth(KEY);
        request.send().await.unwrap().json().await.unwrap()
    }

    pub async fn open_account(&self, account: &str) {
        let opened = self.client.put(self.served.url(&format!("/v1/accounts/{account}")));
        let opened = opened.bearer_auth(KEY).send().await.unwrap();
        assert!(opened.status().is_success());
    }

    /// As a person does it: what is on sale is on the overview, which leads to the page to pay on.
    async fn page_to_pay_on(&self, account: &str) -> String {
        self.open_account(account).await;
        let overview = self.client.get(&self.sandbox).send().await.unwrap().text().await.unwrap();
        assert!(overview.contains("price_sandbox_basic_month"), "{overview}");
        let form = [("price", "price_sandbox_basic_month"), ("for", account)];
        let bought = self.client.post(format!("{}/buy", self.sandbox)).form(&form).send().await.unwrap();
        bought.headers()["location"].to_str().unwrap().to_owned()
    }

    /// Lets `acme` subscribe, and waits for its credits.
    async fn subscribe(&self) {
        let page = self.page_to_pay_on("acme").await;
        let fields = [
            ("email", "ada@example.com"),
            ("number", "4242424242424242"),
            ("expiry", "12/49"),
            ("cvc", "123"),
        ];
        let paid = self.client.post(&page).form(&fields).send().await.unwrap();
        assert_eq!(paid.status().as_u16(), 303);
        self.until(BALANCE, |answer| answer["available"] == 550).await;
    }

    async fn advance(&self, by: &str) {
        let clock =
            self.client.post(format!("{}/_sandbox/clock", self.sandbox)).json(&json!({ "advance": by }));
        assert!(clock.send().await.unwrap().status().is_success());
    }

    /// Lets `acme` subscribe and a month pass, until all that is told of it is handled.
    async fn subscribe_and_renew(&self) {
        self.subscribe().await;
        self.advance("32 days").await;
        self.until(BALANCE, |answer| answer["available"] == 1050).await;
        let begin = Instant::now();
        while self.about().await["deliveries_waiting"] != 0 {
            assert!(begin.elapsed() < PATIENCE, "it is not all told");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.until("/v1/inbox?state=received", |inbox| inbox["events"] == json!([])).await;
    }

    /// What the sandbox says of itself.
    async fn about(&self) -> Value {
        self.client.get(format!("{}/_sandbox", self.sandbox)).send().await.unwrap().json().await.unwrap()
    }

    async fn stop(self) {
        let stopped = tokio::task::spawn_blocking(move || self.served.stop()).await.unwrap();
        assert_eq!(stopped.code(), Some(0));
    }

    /// Runs a command beside the server.
    async fn beside(&self, database: &TestDatabase, arguments: &'static [&'static str]) -> Output {
        let mut command = program::command(arguments);
        command.env("DATABASE_URL", database.url()).env("STRIPE_SECRET_KEY", "sk_test_any");
        command.env("STRIPE_API_URL", &self.sandbox);
        tokio::task::spawn_blocking(move || program::run(&mut command)).await.unwrap()
    }

    /// Waits until the ledger answers as expected.
    pub async fn until(&self, path: &str, enough: impl Fn(&Value) -> bool) -> Value {
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
    let page = shop.page_to_pay_on("acme").await;
    let refused =
        [("email", "a@example.com"), ("number", "4000000000000002"), ("expiry", "12/49"), ("cvc", "123")];
    let refused = shop.client.post(&page).form(&refused).send().await.unwrap().text().await.unwrap();
    assert!(refused.contains("Your card was declined."), "{refused}");
    shop.subscribe().await;
    let subscription = shop.until("/v1/accounts/acme/subscription", |answer| answer["plan"] == "basic").await;
    assert!(subscription.is_object());

    shop.advance("32 days").await;
    // The month's 500 are carried over, and 500 come: what the plan allows, beside the 50 that came at the start.
    shop.until(BALANCE, |answer| answer["available"] == 1050).await;
}

/// The server's clock is the sandbox's; a command has this machine's.
#[tokio::test]
async fn commands_beside_it_go_by_todays_clock_and_find_the_sandbox() {
    let database = TestDatabase::create().await;
    let shop = Shop::open(&database).await;
    shop.subscribe_and_renew().await;
    let served = shop.ask("/v1/audit/accounts/acme/replay").await;
    assert_eq!(served["balance"]["available"], 1050, "{served:#}");
    let replay = shop.beside(&database, &["--json", "audit", "replay", "acme"]).await;
    let replay = program::json(&replay);
    assert_ne!(replay["balance"]["available"], 1050, "{replay:#}");

    let reconciled = shop.beside(&database, &["--json", "stripe", "reconcile"]).await;
    assert_eq!(program::code(&reconciled), 0, "{}", program::stderr(&reconciled));
    assert!(program::json(&reconciled)["read"]["subscription"] == 1, "{}", program::json(&reconciled));
}

#[tokio::test]
async fn after_a_restart_it_is_today_nobody_is_known_there_and_the_journal_stays() {
    let database = TestDatabase::create().await;
    let shop = Shop::open(&database).await;
    let today = shop.about().await["now"].as_i64().unwrap();
    shop.subscribe_and_renew().await;
    let events = "/v1/accounts/acme/events";
    let kept = shop.ask(events).await["events"].clone();
    shop.stop().await;

    let shop = Shop::open(&database).await;
    let about = shop.about().await;
    assert!((0..3_600).contains(&(about["now"].as_i64().unwrap() - today)), "{about:#}");
    let ready = shop.ask("/readyz").await;
    assert!(ready["clock_behind_s"].as_i64().unwrap() > 30 * 86_400, "{ready:#}");
    assert_eq!((&about["customers"], &about["subscriptions"]), (&json!(0), &json!(0)));
    assert_eq!(shop.ask(events).await["events"], kept);
    let page = shop.client.post(shop.served.url("/v1/accounts/acme/portal-sessions")).bearer_auth(KEY);
    let page = page.header("idempotency-key", "k1").json(&json!({ "return_url": "https://shop.example" }));
    let refused: Value = page.send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&refused["code"], &refused["stripe_code"]),
        (&json!("stripe_rejected"), &json!("resource_missing"))
    );
    let advice = refused["advice"].as_str().unwrap();
    assert!(advice.contains("A sandbox forgets everything when it restarts"), "{advice}");
    assert!(!advice.contains("Correct the request"), "{advice}");
}

/// What a customer changes there by themselves follows the catalog, as after a setup.
#[tokio::test]
async fn the_portal_is_the_catalogs() {
    let database = TestDatabase::create().await;
    let shop = Shop::open(&database).await;
    let url = format!("{}/v1/billing_portal/configurations", shop.sandbox);
    let listed = shop.client.get(url).bearer_auth("sk_test_owner").send().await.unwrap();
    let listed: Value = listed.json().await.unwrap();
    let [portal] = listed["data"].as_array().unwrap().as_slice() else { panic!("{listed:#}") };
    let update = &portal["features"]["subscription_update"];
    assert_eq!(
        (&portal["is_default"], &update["proration_behavior"]),
        (&json!(true), &json!("always_invoice"))
    );
    assert_eq!(update["trial_update_behavior"], "continue_trial");
    assert_eq!(
        update["schedule_at_period_end"]["conditions"],
        json!([{ "type": "decreasing_item_amount" }, { "type": "shortening_interval" }])
    );
    assert!(update["products"].as_array().unwrap().len() > 1, "{update:#}");
}

/// As in a network of containers: whoever reaches the sandbox needs its key, and the server has it.
#[tokio::test]
async fn a_server_has_the_key_of_its_sandbox_that_others_reach() {
    let database = TestDatabase::create().await;
    let url = database.url();
    let start = move || {
        Served::start(|command| {
            command.env("DATABASE_URL", url).env("COUNTERFOIL_BOOTSTRAP_KEY", KEY);
            command
                .env("STRIPE_SANDBOX_KEY", "sk_test_of_this_sandbox_and_of_no_other")
                .arg("--sandbox=0.0.0.0:0");
        })
    };
    let served = tokio::task::spawn_blocking(start).await.unwrap();
    let sandbox = served.banner["sandbox"].as_str().expect("it names its sandbox").to_owned();
    let client = reqwest::Client::new();
    assert_eq!(client.get(&sandbox).send().await.unwrap().status().as_u16(), 401);
    let opened = client.put(served.url("/v1/accounts/acme")).bearer_auth(KEY).send().await.unwrap();
    assert!(opened.status().is_success());
    let wanted = json!({
        "plan": "basic", "interval": "month", "success_url": "https://shop.example/thanks",
        "cancel_url": "https://shop.example/plans",
    });
    let session = client.post(served.url("/v1/accounts/acme/checkout-sessions")).bearer_auth(KEY);
    let session = session.header("idempotency-key", "k1").json(&wanted).send().await.unwrap();
    let status = session.status().as_u16();
    assert_eq!(status, 201, "{}", session.text().await.unwrap());
    served.signal(libc::SIGTERM);
    let (_, said) = tokio::task::spawn_blocking(move || served.wait_and_hear()).await.unwrap();
    assert!(
        said.contains("THE SANDBOX LISTENS BEYOND THIS MACHINE") && !said.contains("sk_test_of"),
        "{said}"
    );
}
