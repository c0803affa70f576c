//! How are the ledger and the sandbox asked? Over HTTP, as a product does and as its customers do.

use std::net::SocketAddr;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::super::exit::CliFailure;

/// The most commands in one request.
const BATCH_COMMANDS: usize = 500;
const BACK: &str = "https://product.example/back";

/// An answer: whether it was granted, and what it says.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn is_granted(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What was asked for has to be granted.
    ///
    /// # Errors
    /// If it was not.
    pub(super) fn granted(self, what: &str) -> Result<Value, CliFailure> {
        if self.is_granted() {
            return Ok(self.body);
        }
        Err(CliFailure::broken(format!("{what} was answered with {}: {}", self.status, self.body)))
    }
}

/// Who asks.
pub(super) struct DemoCaller {
    client: Client,
    ledger: String,
    key: String,
    sandbox: String,
}

impl DemoCaller {
    pub(super) fn new(ledger: SocketAddr, key: String, sandbox: String) -> Self {
        Self { client: Client::new(), ledger: format!("http://{ledger}"), key, sandbox }
    }

    /// Asks the ledger.
    ///
    /// # Errors
    /// If it does not answer.
    pub(super) async fn ask(&self, path: &str) -> Result<Value, CliFailure> {
        let request = self.client.get(format!("{}{path}", self.ledger)).bearer_auth(&self.key);
        answered(request).await?.granted(path)
    }

    /// Asks for something about an account, which may be refused.
    ///
    /// # Errors
    /// If the ledger does not answer, or cannot do its work.
    pub(super) async fn request(
        &self,
        (method, account, what): (Method, &str, &str),
        key: &str,
        body: &Value,
    ) -> Result<Answer, CliFailure> {
        let path = format!("/v1/accounts/{account}{what}");
        let request = self.client.request(method, format!("{}{path}", self.ledger)).bearer_auth(&self.key);
        let answer = answered(request.header("idempotency-key", key).json(body)).await?;
        if answer.status >= 500 || answer.status == 401 {
            return Err(answer.granted(&path).err().unwrap_or(CliFailure::Interrupted));
        }
        Ok(answer)
    }

    /// Opens an account.
    ///
    /// # Errors
    /// If that fails.
    pub(super) async fn open(&self, account: &str, came_by: &str) -> Result<(), CliFailure> {
        let body = json!({ "metadata": { "came_by": came_by } });
        let answer = self.request((Method::PUT, account, ""), "arrive", &body).await?;
        answer.granted("opening an account").map(drop)
    }

    /// Sends many commands, and returns the answer to each.
    ///
    /// # Errors
    /// If the ledger does not take them.
    pub(super) async fn send(&self, commands: &[Value]) -> Result<Vec<Answer>, CliFailure> {
        let mut answers = Vec::with_capacity(commands.len());
        for part in commands.chunks(BATCH_COMMANDS) {
            let url = format!("{}/v1/commands", self.ledger);
            let request = self.client.post(url).bearer_auth(&self.key).json(part);
            let Value::Array(part) = answered(request).await?.granted("a batch of commands")? else {
                continue;
            };
            answers.extend(part.into_iter().map(|mut answer| {
                let status = answer.get("status").and_then(Value::as_u64).unwrap_or_default();
                let body = answer.get_mut("body").map(Value::take).unwrap_or_default();
                Answer { status: u16::try_from(status).unwrap_or_default(), body }
            }));
        }
        Ok(answers)
    }

    /// Opens a page to pay on, and pays there with this card. Whether it was paid.
    ///
    /// # Errors
    /// If one of the two does not answer.
    pub(super) async fn buy(
        &self,
        account: &str,
        key: &str,
        mut order: Value,
        card: &str,
    ) -> Result<bool, CliFailure> {
        if let Some(order) = order.as_object_mut() {
            order.insert("success_url".to_owned(), json!(BACK));
            order.insert("cancel_url".to_owned(), json!(BACK));
        }
        let page = self.request((Method::POST, account, "/checkout-sessions"), key, &order).await?;
        let Some(session) = page.body.get("checkout_session_id").and_then(Value::as_str) else {
            return Ok(false);
        };
        Ok(self.tell(&format!("checkout/{session}/pay"), &json!({ "card": card })).await?.is_granted())
    }

    /// Does at the sandbox what people and banks do without a page.
    ///
    /// # Errors
    /// If it does not answer.
    pub(super) async fn tell(&self, what: &str, body: &Value) -> Result<Answer, CliFailure> {
        answered(self.client.post(format!("{}/_sandbox/{what}", self.sandbox)).json(body)).await
    }

    /// Asks the sandbox as its owner.
    ///
    /// # Errors
    /// If it does not answer.
    pub(super) async fn at_stripe(
        &self,
        method: Method,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<Answer, CliFailure> {
        let is_question = method == Method::GET;
        let request = self.client.request(method, format!("{}{path}", self.sandbox));
        let request = request.bearer_auth("sk_test_sandbox");
        answered(if is_question { request.query(form) } else { request.form(form) }).await
    }
}

async fn answered(request: RequestBuilder) -> Result<Answer, CliFailure> {
    let response = request.send().await.map_err(CliFailure::broken)?;
    let status = response.status().as_u16();
    let text = response.text().await.map_err(CliFailure::broken)?;
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(Answer { status, body })
}
