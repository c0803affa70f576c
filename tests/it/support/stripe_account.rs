//! An account at Stripe that has nothing yet, and a business that sells from a catalog.

use std::{collections::BTreeMap, time::Duration};

use counterfoil::{
    catalog::{self, Mode},
    clock::Clock,
    domain::catalog::Catalog,
    sandbox::{Sandbox, SandboxOptions},
    stripe::{
        client::{ApiUrl, CallError, Client, Patience, SecretKey},
        provisioning::{
            doctor::{Code, Deployed, DoctorFinding, Level, examine},
            setup::{DesiredState, SetupError, SetupPlan, SetupReport, prepare, set_up},
        },
    },
};
use reqwest::Method;
use serde_json::{Value, json};

use super::catalogs;

pub const URL: &str = "https://ledger.example/v1/webhooks/stripe";
/// What the music catalog has at Stripe: products, prices, a portal configuration, an endpoint.
pub const MUSIC_OBJECTS: [usize; 4] = [6, 9, 1, 1];

pub struct Account {
    pub sandbox: Sandbox,
    pub http: reqwest::Client,
    /// The catalog's file.
    pub text: String,
    /// What is set, as a `.env` file has it.
    pub settings: BTreeMap<String, String>,
    pub url: Option<String>,
    pub retire: bool,
    /// `None`: the newest.
    pub api_version: Option<String>,
}

impl Account {
    pub async fn empty() -> Self {
        Self::with(catalogs::MUSIC).await
    }

    pub async fn with(text: &str) -> Self {
        let listen = "127.0.0.1:0".parse().unwrap();
        let (clock, signing_clock) = (Clock::system(), Clock::system());
        let sandbox =
            Sandbox::start(SandboxOptions { listen, webhook: None, clock, signing_clock }).await.unwrap();
        let (text, settings) = (text.to_owned(), BTreeMap::new());
        Self {
            sandbox,
            http: reqwest::Client::new(),
            text,
            settings,
            url: Some(URL.to_owned()),
            retire: false,
            api_version: None,
        }
    }

    /// All set up, with the settings that were printed.
    pub async fn healthy() -> Self {
        let mut account = Self::empty().await;
        account.set_up_and_set().await;
        account
    }

    pub fn client(&self, key: &str) -> Client {
        let patience =
            Patience { timeout: Duration::from_secs(10), pauses: vec![Duration::from_millis(5); 2] };
        Client::new(&SecretKey::parse(key).unwrap(), &self.api(), patience).unwrap()
    }

    fn api(&self) -> ApiUrl {
        ApiUrl::parse(&self.sandbox.url()).unwrap()
    }

    pub fn catalog(&self) -> Catalog {
        let settings = |name: &str| self.settings.get(name).cloned();
        catalog::parse_before_setup(&self.text, &settings, Mode::Test).expect("the catalog is right")
    }

    pub fn wanted(&self) -> DesiredState {
        let portal = self.settings.get("STRIPE_PORTAL_CONFIGURATION");
        let wanted =
            DesiredState::of(&self.catalog(), Mode::Test, portal.map(String::as_str), self.url.as_deref());
        match &self.api_version {
            Some(version) => wanted.pinned_to(version),
            None => wanted,
        }
    }

    pub async fn plan(&self) -> SetupPlan {
        prepare(&self.client("sk_test_owner"), &self.wanted(), self.retire).await.expect("Stripe answers")
    }

    pub async fn try_to_set_up(&self) -> (SetupReport, Result<(), SetupError>) {
        let (client, wanted) = (self.client("sk_test_owner"), self.wanted());
        match prepare(&client, &wanted, self.retire).await {
            Ok(plan) => set_up(&client, &wanted, plan, self.retire, &|_| {}).await,
            Err(error) => (SetupReport::default(), Err(error)),
        }
    }

    pub async fn set_up(&self) -> SetupReport {
        let (report, outcome) = self.try_to_set_up().await;
        outcome.expect("Stripe does all of it");
        report
    }

    /// What was printed is set, as its owner would do it.
    pub async fn set_up_and_set(&mut self) -> SetupReport {
        let report = self.set_up().await;
        self.settings.extend(report.settings.clone());
        report
    }

    pub fn deployed(&self) -> Deployed {
        Deployed { mode: Mode::Test, wanted: self.wanted(), verifies: true }
    }

    pub async fn examine(&self) -> Vec<DoctorFinding> {
        self.examine_as("sk_test_owner", &Clock::system(), &self.deployed()).await.expect("Stripe answers")
    }

    pub async fn examine_as(
        &self,
        key: &str,
        clock: &Clock,
        deployed: &Deployed,
    ) -> Result<Vec<DoctorFinding>, CallError> {
        examine(&self.client(key), &self.api(), clock, deployed).await
    }

    /// What is at Stripe: products, prices, portal configurations, webhook endpoints.
    pub async fn objects(&self) -> [usize; 4] {
        let paths = ["products", "prices", "billing_portal/configurations", "webhook_endpoints"];
        let mut counts = [0; 4];
        for (count, path) in counts.iter_mut().zip(paths) {
            *count = self.list(path).await.len();
        }
        counts
    }

    pub async fn list(&self, path: &str) -> Vec<Value> {
        let listed = self.ask(Method::GET, path, &[("limit", "100")]).await;
        listed["data"].as_array().unwrap_or_else(|| panic!("{listed}")).clone()
    }

    /// Asks the sandbox as its owner would.
    pub async fn ask(&self, method: Method, path: &str, form: &[(&str, &str)]) -> Value {
        let request = self.http.request(method.clone(), format!("{}/v1/{path}", self.sandbox.url()));
        let request = request.bearer_auth("sk_test_owner");
        let request = if method == Method::GET { request.query(form) } else { request.form(form) };
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert!(answer["error"].is_null(), "{path}: {answer}");
        answer
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        self.ask(Method::POST, path, form).await
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}/_sandbox/{path}", self.sandbox.url())).json(&body);
        request.send().await.unwrap().json().await.unwrap()
    }

    pub async fn fail(&self, faults: Vec<Value>) {
        self.control("faults", json!({ "api": faults })).await;
    }

    /// The id that new sales use.
    pub fn sale_id(&self, setting: &str) -> &str {
        self.settings[setting].split(',').next().unwrap()
    }

    pub async fn price(&self, id: &str) -> Value {
        self.ask(Method::GET, &format!("prices/{id}"), &[]).await
    }
}

/// The checks that are not well.
pub fn wrong(findings: &[DoctorFinding]) -> Vec<(Code, Level)> {
    let wrong = findings.iter().filter(|finding| finding.level != Level::Ok);
    wrong.map(|finding| (finding.check, finding.level)).collect()
}
