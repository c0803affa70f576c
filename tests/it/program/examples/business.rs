//! The ledger and the shop of an example: `serve --sandbox`, and a key as the guide makes it.

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};

use super::forgetful;
use crate::support::{
    database::TestDatabase,
    program::{self, Served},
};

/// What the guide's key may do.
const KEY: [&str; 10] =
    ["keys", "create", "--name", "backend", "--scope", "deduct", "--scope", "read", "--scope", "billing"];

const PATIENCE: Duration = Duration::from_secs(20);

pub struct Business {
    served: Served,
    /// Dropped after the program that uses it.
    _database: TestDatabase,
    pub key: String,
    sandbox: String,
    /// Where the example finds the ledger.
    forgetful: String,
    client: Client,
}

impl Business {
    pub async fn open() -> Self {
        let database = TestDatabase::create().await;
        let url = database.url();
        let opened = tokio::task::spawn_blocking(move || {
            let served = Served::start(|command| {
                command.env("DATABASE_URL", &url).arg("--sandbox");
            });
            let key = program::run(program::command(&KEY).env("DATABASE_URL", &url));
            (served, String::from_utf8(key.stdout).expect("a text").trim_end().to_owned())
        });
        let (served, key) = opened.await.expect("it serves");
        let sandbox = served.banner["sandbox"].as_str().expect("it names its sandbox").to_owned();
        let forgetful = forgetful::before(served.url("")).await;
        Self { served, _database: database, key, sandbox, forgetful, client: Client::new() }
    }

    /// The address of the ledger itself.
    pub fn ledger(&self) -> String {
        self.served.url("")
    }

    /// The address of the ledger, each of whose answers is lost once.
    pub fn forgetful_ledger(&self) -> &str {
        &self.forgetful
    }

    pub async fn ask(&self, path: &str) -> Value {
        let request = self.client.get(self.served.url(path)).bearer_auth(&self.key);
        request.send().await.expect("it answers").json().await.expect("JSON")
    }

    /// The same, once the read models know enough.
    pub async fn until(&self, path: &str, enough: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let answer = self.ask(path).await;
            if enough(&answer) {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} stays {answer:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Pays on a page of the sandbox. Returns where the person is sent then.
    pub async fn pay(&self, page: &str) -> String {
        let session =
            page.strip_prefix(&format!("{}/checkout/", self.sandbox)).expect("a page of the sandbox");
        let address = format!("{}/_sandbox/checkout/{session}/pay", self.sandbox);
        let card = json!({ "card": "4242424242424242", "email": "ada@example.com" });
        let paid = self.client.post(address).json(&card).send().await.expect("it answers");
        let paid: Value = paid.json().await.expect("JSON");
        assert_eq!(paid["payment_status"], "paid", "{paid}");
        paid["success_url"].as_str().expect("an address").to_owned()
    }
}
