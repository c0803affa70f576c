//! A business that runs, and whose catalog changes meanwhile: the whole program in this process, started again on the
//! same database beside a sandbox that goes on.

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use counterfoil::{
    app::{App, KeyAudience, catalogs::OnOldPlan},
    catalog::{Mode, parse_before_setup},
    clock::Clock,
    config::{Config, SettingSources},
    sandbox::{Sandbox, SandboxOptions, Webhook},
    stripe::{
        client::{ApiUrl, Client, Patience, SecretKey},
        provisioning::setup::{DesiredState, SetupReport, prepare, set_up},
    },
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Scratch, database::TestDatabase, ledger::noon, program};

pub const HOUR_S: i64 = 3_600;
const KEY: &str = "catalog-that-changes-while-it-is-served";
const STRIPE_KEY: &str = "sk_test_catalog";
const SIGNING: &str = "whsec_catalog";
const VISA: &str = "4242424242424242";
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Business {
    database: TestDatabase,
    sandbox: Sandbox,
    clock: Clock,
    files: Scratch,
    /// What is set, as a `.env` file has it.
    pub settings: BTreeMap<String, String>,
    app: Option<App>,
    http: reqwest::Client,
    sent: u32,
}

impl Business {
    /// With nothing on sale yet.
    pub async fn open() -> Self {
        let clock = Clock::fixed(noon());
        let listen = "127.0.0.1:0".parse().expect("an address");
        let options =
            SandboxOptions { listen, webhook: None, clock: clock.clone(), signing_clock: clock.clone() };
        let sandbox = Sandbox::start(options).await.expect("it starts");
        let database = TestDatabase::create().await;
        let settings = [
            ("DATABASE_URL", database.url()),
            ("COUNTERFOIL_LISTEN", "127.0.0.1:0".to_owned()),
            ("COUNTERFOIL_BOOTSTRAP_KEY", KEY.to_owned()),
            ("COUNTERFOIL_RECONCILE_HOUR", "off".to_owned()),
            ("STRIPE_API_URL", sandbox.url()),
            ("STRIPE_SECRET_KEY", STRIPE_KEY.to_owned()),
            ("STRIPE_WEBHOOK_SECRET", SIGNING.to_owned()),
        ];
        Self {
            database,
            sandbox,
            clock,
            files: Scratch::create(),
            settings: settings.map(|(name, value)| (name.to_owned(), value)).into(),
            app: None,
            http: reqwest::Client::new(),
            sent: 0,
        }
    }

    /// Runs `stripe setup` with this catalog, and sets what it prints.
    pub async fn set_up(&mut self, catalog: &str) -> SetupReport {
        let settings = |name: &str| self.settings.get(name).cloned();
        let read = parse_before_setup(catalog, &settings, Mode::Test).expect("the catalog is right");
        let portal = self.settings.get("STRIPE_PORTAL_CONFIGURATION").map(String::as_str);
        let (wanted, client) = (DesiredState::of(&read, Mode::Test, portal, None), self.client());
        let plan = prepare(&client, &wanted, false).await.expect("Stripe answers");
        let (report, outcome) = set_up(&client, &wanted, plan, false, &|_| {}).await;
        outcome.expect("Stripe does all of it");
        self.settings.extend(report.settings.clone());
        report
    }

    fn client(&self) -> Client {
        let url = ApiUrl::parse(&self.sandbox.url()).expect("an address");
        let key = SecretKey::parse(STRIPE_KEY).expect("a key");
        Client::new(&key, &url, Patience::default()).expect("it can be asked")
    }

    /// Starts the program with this catalog; one that runs is stopped first.
    pub async fn serve(&mut self, catalog: &str) {
        if let Some(app) = self.app.take() {
            app.stop().await;
        }
        let path = self.files.path().join("catalog.toml");
        fs::write(&path, catalog).expect("it can be written");
        let mut environment = self.settings.clone();
        environment.insert("COUNTERFOIL_CATALOG".to_owned(), path.display().to_string());
        let given = SettingSources::new(BTreeMap::new(), environment);
        let (config, loaded) = Config::read_with_catalog(&given).expect("it can start");
        let app =
            App::start(config, loaded, self.clock.clone(), KeyAudience::Person).await.expect("it starts");
        let address = app.address().to_string();
        if self.settings.insert("COUNTERFOIL_LISTEN".to_owned(), address.clone()).as_ref() != Some(&address) {
            let url = format!("http://{address}/v1/webhooks/stripe");
            self.sandbox.deliver_to(Webhook { url, secret: SIGNING.to_owned(), api_version: None });
        }
        self.app = Some(app);
    }

    /// How many accounts are on plans that the catalog does not sell, as the program says when it starts.
    pub async fn on_old_plans(&self, catalog: &str) -> Vec<OnOldPlan> {
        let settings = |name: &str| self.settings.get(name).cloned();
        let mut read = parse_before_setup(catalog, &settings, Mode::Test).expect("the catalog is right");
        let pool = self.database.pool();
        counterfoil::app::catalogs::recall(&pool, &mut read, Mode::Test).await.expect("an answer");
        counterfoil::app::catalogs::on_old_plans(&pool, &read).await.expect("an answer")
    }

    /// What the command says of a catalog, beside this database.
    pub async fn check(&self, catalog: &str) -> String {
        let path = self.files.path().join("checked.toml");
        fs::write(&path, catalog).expect("it can be written");
        let mut command = program::command(&["catalog", "check", "--with-database"]);
        command.arg(path).env("DATABASE_URL", &self.settings["DATABASE_URL"]);
        let output = tokio::task::spawn_blocking(move || program::run(&mut command)).await.expect("no panic");
        assert_eq!(program::code(&output), 0, "{}", program::stderr(&output));
        String::from_utf8(output.stdout).expect("text")
    }

    /// What the program says when it starts with this catalog, and stops again.
    pub async fn start_and_hear(&mut self, catalog: &str) -> String {
        if let Some(app) = self.app.take() {
            app.stop().await;
        }
        let path = self.files.path().join("heard.toml");
        fs::write(&path, catalog).expect("it can be written");
        let mut settings = self.settings.clone();
        settings.remove("COUNTERFOIL_LISTEN");
        let heard = tokio::task::spawn_blocking(move || {
            let served = program::Served::start(|command| {
                command.envs(settings).env("COUNTERFOIL_CATALOG", path).env("COUNTERFOIL_LOG_FORMAT", "json");
            });
            served.signal(libc::SIGTERM);
            served.wait_and_hear().1
        });
        heard.await.expect("no panic")
    }

    pub async fn ask(&mut self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        self.sent += 1;
        let address = self.app.as_ref().expect("it serves").address();
        let request = self.http.request(method, format!("http://{address}{path}")).bearer_auth(KEY);
        let request = request.header("idempotency-key", format!("key-{}", self.sent));
        let response = if body.is_null() { request } else { request.json(body) };
        let response = response.send().await.expect("it answers");
        (response.status().as_u16(), response.json().await.expect("JSON"))
    }

    pub async fn read(&mut self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, &Value::Null).await;
        assert_eq!(status, 200, "{path}: {body:#}");
        body
    }

    pub async fn available(&mut self, account: &str) -> i64 {
        self.read(&format!("/v1/accounts/{account}/balance")).await["available"].as_i64().expect("credits")
    }

    /// Signs up and subscribes, or buys a pack.
    pub async fn buy(&mut self, account: &str, wish: &Value) {
        self.ask(Method::PUT, &format!("/v1/accounts/{account}"), &json!({})).await;
        let mut wish = wish.clone();
        wish["success_url"] = "https://shop.example/thanks".into();
        wish["cancel_url"] = "https://shop.example/pricing".into();
        let path = format!("/v1/accounts/{account}/checkout-sessions");
        let (status, session) = self.ask(Method::POST, &path, &wish).await;
        assert_eq!(status, 201, "{session:#}");
        let session = session["checkout_session_id"].as_str().expect("an id");
        let paid = self.control(&format!("checkout/{session}/pay"), &json!({ "card": VISA })).await;
        assert!(paid["error"].is_null(), "{paid:#}");
        self.settled().await;
    }

    pub async fn control(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/_sandbox/{path}", self.sandbox.url());
        self.http.post(url).json(body).send().await.expect("it answers").json().await.expect("JSON")
    }

    pub async fn stripe(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.sandbox.url())).bearer_auth(STRIPE_KEY);
        request.send().await.expect("it answers").json().await.expect("JSON")
    }

    /// Lets every period that runs end, and the next one be paid.
    pub async fn renew(&mut self) {
        let listed = self.stripe("/v1/subscriptions?limit=100").await;
        let ends = listed["data"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|row| row["items"]["data"][0]["current_period_end"].as_i64().expect("seconds"));
        let last = ends.max().expect("somebody has subscribed");
        self.control("clock", &json!({ "to": last + 3 * HOUR_S })).await;
        self.settled().await;
    }

    /// Everything that Stripe has to tell was told.
    pub async fn delivered(&self) {
        let begin = Instant::now();
        while self.stripe("/_sandbox").await["deliveries_waiting"] != 0 {
            assert!(begin.elapsed() < PATIENCE, "it is not all told");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everything that Stripe has to tell was told, and processed.
    pub async fn settled(&mut self) {
        let begin = Instant::now();
        loop {
            let about = self.stripe("/_sandbox").await;
            let mut open = about["deliveries_waiting"].as_u64().expect("a count");
            for state in ["received", "waiting"] {
                let listed = self.read(&format!("/v1/inbox?state={state}")).await;
                open += listed["events"].as_array().expect("a list").len() as u64;
            }
            if open == 0 {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "{open} events are not processed");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn close(mut self) {
        if let Some(app) = self.app.take() {
            app.stop().await;
        }
        self.sandbox.stop().await;
    }
}
