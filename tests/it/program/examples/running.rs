//! An example as a child process, and the browser of one visitor.

use std::{
    fs::{self, File},
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::{Client, Method, RequestBuilder, header, redirect};
use serde_json::Value;

use super::business::Business;
use crate::support::Scratch;

/// How long an example may take to start. Generous, since many tests run beside it.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Example {
    child: Child,
    address: String,
    client: Client,
    cookie: Mutex<Option<String>>,
    said: Scratch,
}

impl Example {
    /// Starts what `command` says for a port that is free, and waits until it answers.
    pub fn start(business: &Business, command: impl FnOnce(u16) -> Command) -> Self {
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let address = format!("http://127.0.0.1:{port}");
        let said = Scratch::create();
        let log = File::create(said.path().join("log")).expect("a file");
        let mut command = command(port);
        command.env("LEDGER_URL", business.forgetful_ledger()).env("LEDGER_KEY", &business.key);
        command.env("APP_URL", &address).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a file")).stderr(log);
        let child = command.spawn().expect("it starts");
        let client = Client::builder().redirect(redirect::Policy::none()).build().expect("a client");
        let mut example = Self { child, address, client, cookie: Mutex::default(), said };
        example.wait(port);
        example
    }

    fn wait(&mut self, port: u16) {
        let begin = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let has_ended = self.child.try_wait().expect("it is our child").is_some();
            assert!(!has_ended && begin.elapsed() < PATIENCE, "it does not serve: {}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What it has said on its way.
    pub fn said(&self) -> String {
        fs::read_to_string(self.said.path().join("log")).expect("it can be read")
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.address));
        match &*self.cookie.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        }
    }

    async fn answer(&self, request: RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.expect("it answers");
        if let Some(cookie) = answer.headers().get(header::SET_COOKIE) {
            let cookie = cookie.to_str().expect("a text").split(';').next().expect("a pair").to_owned();
            *self.cookie.lock().unwrap_or_else(PoisonError::into_inner) = Some(cookie);
        }
        let (status, text) = (answer.status().as_u16(), answer.text().await.expect("a text"));
        let body =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}\n{}", self.said()));
        (status, body)
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.answer(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.answer(self.request(Method::POST, path).json(body)).await
    }

    /// The page that is shown first.
    pub async fn page(&self) -> String {
        let page = self.request(Method::GET, "/").send().await.expect("it answers");
        page.text().await.expect("a text")
    }

    /// Where a form leads to.
    pub async fn submit(&self, path: &str) -> String {
        let answer = self.request(Method::POST, path).send().await.expect("it answers");
        assert_eq!(answer.status().as_u16(), 303, "{}", self.said());
        answer.headers()[header::LOCATION].to_str().expect("a text").to_owned()
    }

    /// What stands behind its address, of a page that leads back to it.
    pub fn path<'a>(&self, url: &'a str) -> &'a str {
        url.strip_prefix(&self.address).expect("it leads back")
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
