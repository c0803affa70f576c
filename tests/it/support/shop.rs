//! A server that sells, and the sandbox at which it does.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use counterfoil::{
    domain::{
        catalog::{Catalog, StripePrice},
        rollout::Rollout,
    },
    http::HttpSettings,
    sandbox::{Sandbox, SandboxOptions, SeedOffer, Webhook},
    stripe::{
        Deployment, StripeMode,
        client::{ApiUrl, Client, Patience, SecretKey},
        inbound::{inbox::Inbox, reconcile::Reconciler},
        outbound::{self, Billing, BillingMode, ResolvedCalls},
    },
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::{
    http::{Answer, Server, WEBHOOK_SECRET},
    ledger::{TestLedger, music_for_sale},
};

const PATIENCE: Duration = Duration::from_secs(20);
/// A card that is charged.
pub const GOOD_CARD: &str = "4242424242424242";
pub const ACME: &str = "/v1/accounts/acme";

/// How long the shop's client waits for each of its three tries: more than a busy machine takes for an answer.
pub const TRY_LASTS: Duration = Duration::from_secs(2);
/// A delay after which the client waits no longer.
pub const TOO_LATE_MS: u64 = 20_000;

pub struct Shop {
    pub server: Server,
    pub sandbox: Sandbox,
    client: reqwest::Client,
}

/// A client that gives up sooner than the program's own.
pub fn client(key: &str, url: &str) -> Client {
    let patience = Patience { timeout: TRY_LASTS, pauses: vec![Duration::from_millis(5); 2] };
    let (key, url) = (SecretKey::parse(key).unwrap(), ApiUrl::parse(url).unwrap());
    Client::new(&key, &url, patience).unwrap()
}

/// A server that asks Stripe as `switch` says.
pub async fn serve(switch: BillingMode) -> Server {
    let test = TestLedger::selling(music_for_sale()).await;
    let server = Server::start_selling(test, HttpSettings::default(), switch).await;
    server.open("acme").await;
    server
}

impl Shop {
    /// All that the catalog sells is on sale at the sandbox, which tells the server what happens.
    pub async fn start() -> Self {
        Self::start_without(|_| false).await
    }

    /// The same, of another catalog.
    pub async fn selling(catalog: Arc<Catalog>) -> Self {
        Self::selling_without(catalog, "sk_test_shop", |_| false).await
    }

    /// The same, asking Stripe with another key.
    pub async fn asking_with(key: &str) -> Self {
        Self::selling_without(music_for_sale(), key, |_| false).await
    }

    /// The same, without the prices for which `missing` holds.
    pub async fn start_without(missing: impl Fn(&str) -> bool) -> Self {
        Self::selling_without(music_for_sale(), "sk_test_shop", missing).await
    }

    async fn selling_without(catalog: Arc<Catalog>, key: &str, missing: impl Fn(&str) -> bool) -> Self {
        Self::on(TestLedger::selling(catalog).await, key, missing).await
    }

    pub async fn on(test: TestLedger, key: &str, missing: impl Fn(&str) -> bool) -> Self {
        let listen = "127.0.0.1:0".parse().unwrap();
        let (clock, signing_clock) = (test.clock.clone(), test.clock.clone());
        let options = SandboxOptions { listen, webhook: None, clock, signing_clock };
        let sandbox = Sandbox::start(options).await.unwrap();
        let mut offers = offers(test.ledger.catalog());
        offers.retain(|offer| !missing(&offer.price_id));
        sandbox.offer(&offers);
        let switch = BillingMode::On(client(key, &sandbox.url()));
        let server = Server::start_selling(test, HttpSettings::default(), switch).await;
        let url = format!("{}/v1/webhooks/stripe", server.address);
        sandbox.deliver_to(Webhook { url, secret: WEBHOOK_SECRET.to_owned(), api_version: None });
        server.open("acme").await;
        Self { server, sandbox, client: reqwest::Client::new() }
    }

    pub async fn checkout(&self, key: &str, body: &Value) -> Answer {
        self.checkout_of("acme", key, body).await
    }

    pub async fn checkout_of(&self, account: &str, key: &str, body: &Value) -> Answer {
        let path = format!("/v1/accounts/{account}/checkout-sessions");
        self.server.post(&path, body.clone()).header("idempotency-key", key).send().await
    }

    /// Makes the account a customer, so that the next checkout is one call.
    pub async fn become_customer(&self) {
        let answer = self.checkout("first", &pack()).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }

    /// An account that is on the plan `creator`, and has its first month's credits.
    pub async fn subscribed() -> Self {
        let shop = Self::start().await;
        shop.subscribe().await;
        shop
    }

    pub async fn subscribe(&self) {
        self.subscribe_other("acme").await;
    }

    /// Lets an account subscribe, which is opened if there is none.
    pub async fn subscribe_other(&self, account: &str) {
        self.server.open(account).await;
        let opened = self.checkout_of(account, "subscribe", &plan()).await;
        self.pay(&opened.body).await;
        let path = format!("/v1/accounts/{account}");
        self.until(&path, |account| account["plan"] == "creator").await;
        self.until(&format!("{path}/balance"), |balance| balance["available"] == 1_550).await;
    }

    /// Everything that the sandbox has to tell was delivered and processed.
    pub async fn settled(&self) {
        let begin = Instant::now();
        loop {
            let about = self.at_stripe(Method::GET, "/_sandbox", &[]).await;
            let mut open = about["deliveries_waiting"].as_u64().expect("a count");
            let inbox = self.server.get("/v1/inbox?state=received").send().await;
            open += inbox.body["events"].as_array().expect("a list").len() as u64;
            if open == 0 {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "{open} events are not processed: {}", inbox.text);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Another instance on the same database, as after a restart, looks once at the calls that are open.
    pub async fn resolve(&self) -> ResolvedCalls {
        let ledger = &self.server.test.ledger;
        let switch = BillingMode::On(client("sk_test_shop", &self.sandbox.url()));
        let billing = Billing::new(switch, self.server.test.database.pool(), ledger.clone());
        billing.resolve(&CancellationToken::new()).await.unwrap()
    }

    /// The same shop after a restart that sells to others.
    pub async fn sell_to(&mut self, rollout: Rollout) {
        let switch = BillingMode::On(client("sk_test_shop", &self.sandbox.url()));
        self.restart(switch, rollout).await;
    }

    /// The same, asking Stripe as `switch` says.
    pub async fn restart(&mut self, switch: BillingMode, rollout: Rollout) {
        self.settled().await;
        for endpoint in self.list("/v1/webhook_endpoints").await {
            let path = format!("/v1/webhook_endpoints/{}", endpoint["id"].as_str().expect("an id"));
            self.at_stripe(Method::DELETE, &path, &[]).await;
        }
        let settings = outbound::Settings { rollout, ..outbound::Settings::default() };
        self.server = self.server.beside(switch, settings).await;
        let url = format!("{}/v1/webhooks/stripe", self.server.address);
        self.sandbox.deliver_to(Webhook { url, secret: WEBHOOK_SECRET.to_owned(), api_version: None });
    }

    /// Asks for a change of the account's subscription.
    pub async fn amend(&self, what: &str, key: &str, body: &Value) -> Answer {
        let path = format!("{ACME}/subscription/{what}");
        self.server.post(&path, body.clone()).header("idempotency-key", key).send().await
    }

    /// Where the account's subscription is at the sandbox.
    pub async fn path(&self) -> String {
        format!("/v1/subscriptions/{}", self.list("/v1/subscriptions").await[0]["id"].as_str().unwrap())
    }

    /// The customer's only subscription is charged to this method from here on.
    pub async fn pays_by(&self, method: &str) {
        let customer = self.list("/v1/customers").await[0]["id"].as_str().unwrap().to_owned();
        let attach = format!("/v1/payment_methods/{method}/attach");
        let method = self.at_stripe(Method::POST, &attach, &[("customer", &customer)]).await;
        let form = [("default_payment_method", method["id"].as_str().unwrap())];
        self.at_stripe(Method::POST, &self.path().await, &form).await;
    }

    /// Lets time pass, for the server too.
    pub async fn advance(&self, by: &str) {
        self.control("clock", json!({ "advance": by })).await;
    }

    /// How many calls of an operation are written down.
    pub async fn calls(&self, operation: &str) -> i64 {
        sqlx::query_scalar("select count(*) from ledger.stripe_calls where operation like $1")
            .bind(operation)
            .fetch_one(&self.server.test.database.pool())
            .await
            .unwrap()
    }

    /// Every event and call that is kept, as text.
    pub async fn kept(&self) -> String {
        let kept: Vec<String> = sqlx::query_scalar(
            "select row_to_json(calls)::text from ledger.stripe_calls calls \
             union all select row_to_json(events)::text from ledger.events events",
        )
        .fetch_all(&self.server.test.database.pool())
        .await
        .unwrap();
        kept.join("\n")
    }

    /// What goes wrong from here on at the sandbox.
    pub async fn fail(&self, faults: Value) {
        self.control("faults", json!({ "api": faults })).await;
    }

    pub async fn pay(&self, session: &Value) -> Value {
        let session = session["checkout_session_id"].as_str().unwrap();
        self.control(&format!("checkout/{session}/pay"), json!({ "card": GOOD_CARD })).await
    }

    /// What the person tells the bank.
    pub async fn authenticate(&self, payment: &str, succeeds: bool) -> Value {
        self.control(&format!("payment_intents/{payment}/authenticate"), json!({ "succeeds": succeeds }))
            .await
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/_sandbox/{path}", self.sandbox.url());
        let response = self.client.post(url).json(&body).send().await.unwrap();
        let (status, body) = (response.status(), response.json().await.unwrap());
        assert!(status.is_success(), "{path}: {body}");
        body
    }

    /// Asks the sandbox as its owner would.
    pub async fn at_stripe(&self, method: Method, path: &str, form: &[(&str, &str)]) -> Value {
        let request = self.client.request(method.clone(), format!("{}{path}", self.sandbox.url()));
        let request = request.bearer_auth("sk_test_owner");
        let request = if method == Method::GET { request.query(form) } else { request.form(form) };
        request.send().await.unwrap().json().await.unwrap()
    }

    pub async fn list(&self, path: &str) -> Vec<Value> {
        let listed = self.at_stripe(Method::GET, path, &[("limit", "100")]).await;
        listed["data"].as_array().unwrap_or_else(|| panic!("{listed}")).clone()
    }

    /// Who compares the server's ledger with the sandbox.
    pub fn reconciler(&self) -> Reconciler {
        let (ledger, pool) = (self.server.test.ledger.clone(), self.server.test.database.pool());
        let stripe = client("sk_test_shop", &self.sandbox.url());
        Reconciler::new(stripe, Inbox::new(pool), ledger, Deployment::new(StripeMode::Test))
    }

    pub async fn sessions(&self) -> usize {
        self.list("/v1/checkout/sessions").await.len()
    }

    /// Asks until the answer is as expected.
    pub async fn until(&self, path: &str, expected: impl Fn(&Value) -> bool) -> Value {
        self.until_within(PATIENCE, path, expected).await
    }

    /// The same, of something that takes long.
    pub async fn until_within(
        &self,
        patience: Duration,
        path: &str,
        expected: impl Fn(&Value) -> bool,
    ) -> Value {
        let begin = Instant::now();
        loop {
            let answer = self.server.get(path).send().await;
            if expected(&answer.body) {
                return answer.body;
            }
            assert!(begin.elapsed() < patience, "{path} stays {}", answer.text);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

pub fn plan() -> Value {
    json!({
        "plan": "creator", "interval": "month", "success_url": "https://shop.example/thanks?from=counterfoil",
        "cancel_url": "https://shop.example/pricing",
    })
}

pub fn pack() -> Value {
    json!({
        "pack": "pack_500", "quantity": 2, "success_url": "https://shop.example/thanks",
        "cancel_url": "https://shop.example/pricing",
    })
}

pub fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

pub fn offers(catalog: &Catalog) -> Vec<SeedOffer> {
    let offer = |stripe: &StripePrice, product: &str, minor: i64, interval: Option<&str>| SeedOffer {
        product_id: format!("prod_{product}"),
        product_name: product.to_owned(),
        price_id: stripe.sale_id().expect("a price").to_owned(),
        unit_amount: minor,
        currency: "usd".to_owned(),
        interval: interval.map(str::to_owned),
        lookup_key: None,
        metadata: std::collections::BTreeMap::new(),
    };
    let plans = catalog.plans.iter().flat_map(|plan| {
        plan.prices.iter().map(move |price| {
            offer(&price.stripe, plan.id.as_str(), price.amount.minor, Some(price.interval.as_str()))
        })
    });
    let packs =
        catalog.packs.iter().map(|pack| offer(&pack.stripe, pack.id.as_str(), pack.price.minor, None));
    plans.chain(packs).collect()
}
