//! A real server on the loopback interface, on a database of its own.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::Router;
use counterfoil::{
    auth::keys::{self, KeyScope, NewKey},
    catalog::Mode,
    domain::ids::AccountId,
    http::{self, AppParts, AppState, Connections, HttpSettings},
    instances::Instances,
    journal::feed::Feed,
    ledger::Ledger,
    projections,
    projector::Projector,
    stripe::{
        self, Deployment,
        inbound::{
            inbox::Inbox,
            processor::Processor,
            signature::{Secrets, WebhookSecret, sign},
        },
        outbound::{self, Billing, BillingMode},
    },
};
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::Value;
use sqlx::PgPool;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::support::ledger::TestLedger;

use super::{shards::token, specification};

pub const WEBHOOK_SECRET: &str = "whsec_test";

pub struct Server {
    pub test: Arc<TestLedger>,
    pub address: String,
    /// May everything, without a rate limit.
    pub admin: String,
    client: reqwest::Client,
    background: CancellationToken,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<std::io::Result<()>>,
}

/// What was answered, and matched the document.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
}

/// A request in the making.
pub struct Call<'a> {
    server: &'a Server,
    method: Method,
    path: String,
    key: Option<String>,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

impl Server {
    pub async fn start() -> Self {
        Self::start_on(TestLedger::start().await, HttpSettings::default()).await
    }

    /// Whatever others have, so that what one account waits for is what all wait for.
    pub async fn of_one_shard() -> Self {
        Self::start_on(TestLedger::of_one_shard().await, HttpSettings::default()).await
    }

    pub async fn start_with(settings: HttpSettings) -> Self {
        Self::start_on(TestLedger::start().await, settings).await
    }

    pub async fn start_on(test: TestLedger, settings: HttpSettings) -> Self {
        Self::start_selling(test, settings, BillingMode::NotConfigured).await
    }

    pub async fn start_selling(test: TestLedger, settings: HttpSettings, switch: BillingMode) -> Self {
        Self::serve(Arc::new(test), settings, switch, outbound::Settings::default()).await
    }

    /// Another server of the same ledger, as after a restart with other settings.
    pub async fn beside(&self, switch: BillingMode, billing: outbound::Settings) -> Self {
        Self::serve(self.test.clone(), HttpSettings::default(), switch, billing).await
    }

    async fn serve(
        test: Arc<TestLedger>,
        settings: HttpSettings,
        switch: BillingMode,
        billing: outbound::Settings,
    ) -> Self {
        let background = CancellationToken::new();
        let router =
            router_selling(test.database.pool(), &test.ledger, settings, (switch, billing), &background)
                .await;
        let new = new_key([KeyScope::Admin], None);
        let created = keys::create(&test.database.pool(), &test.clock, new).await.expect("a key");
        let admin = created.secret.reveal().to_owned();
        let (address, stop, served) = serve(router).await;
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().expect("a client");
        Self { test, address, admin, client, background, stop: Some(stop), served }
    }

    pub fn call(&self, method: Method, path: &str) -> Call<'_> {
        let key = Some(self.admin.clone());
        Call { server: self, method, path: path.to_owned(), key, headers: Vec::new(), body: None }
    }

    pub fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    /// With an idempotency key that no other call has.
    pub fn post(&self, path: &str, body: Value) -> Call<'_> {
        self.call(Method::POST, path).header("idempotency-key", &uuid::Uuid::new_v4().to_string()).json(body)
    }

    pub fn put(&self, path: &str, body: Value) -> Call<'_> {
        self.call(Method::PUT, path).json(body)
    }

    pub async fn open(&self, account: &str) -> Answer {
        self.call(Method::PUT, &format!("/v1/accounts/{account}")).send().await
    }

    pub async fn grant(&self, account: &str, amount: i64) {
        let body = serde_json::json!({ "source": "bonus", "amount": amount, "reason": "test" });
        let answer = self.post(&format!("/v1/accounts/{account}/grants"), body).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }

    /// The position of everything so far, of all accounts.
    pub async fn everything(&self) -> String {
        token(&self.test.ledger.heads().await.expect("the database answers"))
    }

    pub async fn balance(&self, account: &str) -> Value {
        self.get(&format!("/v1/accounts/{account}/balance")).send().await.body
    }

    /// A key of these scopes, for these accounts or all.
    pub async fn key<const N: usize>(&self, scopes: [KeyScope; N], accounts: Option<&[&str]>) -> String {
        let new = new_key(scopes, accounts);
        let created = keys::create(&self.test.database.pool(), &self.test.clock, new).await.expect("a key");
        created.secret.reveal().to_owned()
    }

    /// Delivers an event as Stripe would.
    pub async fn deliver(&self, event: &Value) -> Answer {
        let body = serde_json::to_vec(event).expect("JSON");
        let signature = sign(&WebhookSecret::new("test", WEBHOOK_SECRET), &body, self.test.clock.now());
        let call = self.call(Method::POST, "/v1/webhooks/stripe").without_key();
        call.header("stripe-signature", &signature).bytes(body, "application/json").send().await
    }

    /// Asks the server to stop, and waits until it has.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).expect("the server runs");
        }
        (&mut self.served).await.expect("no panic").expect("served");
    }

    /// From here on it only answers: events are for another instance to handle.
    pub fn stop_handling(&self) {
        self.background.cancel();
    }

    /// Asks the server to stop.
    pub fn ask_to_stop(&mut self) {
        self.stop.take().expect("only once").send(()).expect("the server runs");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.background.cancel();
        self.served.abort();
    }
}

fn new_key<const N: usize>(scopes: [KeyScope; N], accounts: Option<&[&str]>) -> NewKey {
    let accounts = accounts.map(|ids| ids.iter().map(|id| AccountId::parse(id).expect("an id")).collect());
    NewKey {
        name: "test".to_owned(),
        mode: Mode::Test,
        scopes: BTreeSet::from(scopes),
        accounts,
        expires_at: None,
        requests_per_minute: Some(0),
    }
}

/// All routes, and what works behind them, as one instance of the program has it.
pub async fn router(
    pool: PgPool,
    ledger: &Ledger,
    settings: HttpSettings,
    background: &CancellationToken,
) -> Router {
    let selling = (BillingMode::NotConfigured, outbound::Settings::default());
    router_selling(pool, ledger, settings, selling, background).await
}

async fn router_selling(
    pool: PgPool,
    ledger: &Ledger,
    settings: HttpSettings,
    (switch, billing): (BillingMode, outbound::Settings),
    background: &CancellationToken,
) -> Router {
    let feed = Feed::new(pool.clone());
    let projector = Projector::open(pool.clone(), feed, projections::all(), ledger.clock().clone()).await;
    let projector = projector.expect("the database answers");
    let tasks = TaskTracker::new();
    projector.start(&tasks, background, ledger.positions());
    let instances = Instances::new(ledger.shards().clone(), None);
    let inbox = Inbox::new(pool.clone());
    let deployment = Deployment::new(stripe::StripeMode::Test);
    let processor = Processor::new(inbox.clone(), ledger.clone(), deployment);
    tokio::spawn(processor.asking(switch.client().cloned()).run(background.clone()));
    let secrets = Secrets::new(vec![WebhookSecret::new("test", WEBHOOK_SECRET)]);
    http::router(AppState::new(AppParts {
        ledger: ledger.clone(),
        billing: Billing::with(switch, pool.clone(), ledger.clone(), billing),
        pool,
        mode: Mode::Test,
        metrics: None,
        projector,
        instances,
        others: http::passed_on::client().expect("a client"),
        inbox,
        secrets,
        settings,
    }))
}

pub async fn serve(router: Router) -> (String, oneshot::Sender<()>, JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        // A sender that is dropped stops nothing.
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let served = tokio::spawn(http::serve(listener, router, Connections::allowed(), shutdown));
    (address, stop, served)
}

impl Call<'_> {
    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    pub fn without_key(mut self) -> Self {
        self.key = None;
        self
    }

    /// Sets a header, instead of one of the same name.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self = self.without(name);
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn without(mut self, name: &'static str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self
    }

    pub fn json(self, body: Value) -> Self {
        self.bytes(serde_json::to_vec(&body).expect("JSON"), "application/json")
    }

    pub fn bytes(mut self, body: Vec<u8>, kind: &str) -> Self {
        self.body = Some(body);
        self.header("content-type", kind)
    }

    pub async fn send(self) -> Answer {
        let Call { server, method, path, key, headers, body } = self;
        let mut request = server.client.request(method.clone(), format!("{}{path}", server.address));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        let sent: Option<Value> = body.as_deref().and_then(|body| serde_json::from_slice(body).ok());
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.expect("text");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Answer { status, headers, text, body };
        specification::check(&method, &path, &answer);
        if let Some(sent) = sent.filter(|_| answer.is_accepted()) {
            specification::check_accepted(&method, &path, &sent);
        }
        answer
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    /// Whether all that was sent was accepted, each command of a batch included.
    fn is_accepted(&self) -> bool {
        let mut items = self.body.as_array().into_iter().flatten();
        self.status.is_success()
            && items.all(|item| item["status"].as_i64().is_some_and(|status| status < 300))
    }

    /// The code of a problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Fails unless this is a problem with this status and code.
    pub fn is_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.code()), (status, code), "{}", self.text);
    }
}
