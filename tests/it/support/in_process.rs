//! The program, whole, in this process: Stripe delivers to it, and callers read from it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use counterfoil::{
    audit::verify_read_models,
    domain::{catalog::Catalog, time::Timestamp},
    http::HttpSettings,
    journal::feed::Feed,
    projections,
    projector::Projector,
    scheduler::Scheduler,
    stripe::{
        inbound::{
            inbox::{Inbox, InboxState},
            send::{self, SendResult},
            signature::WebhookSecret,
        },
        outbound::BillingMode,
    },
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::support::{
    documents,
    http::{Server, WEBHOOK_SECRET},
    ledger::{TestLedger, alone, music},
};

/// How long the inbox may take to be worked off. Generous, since many tests run beside it.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Program {
    pub server: Server,
    inbox: Inbox,
    secret: WebhookSecret,
    client: reqwest::Client,
    stop: CancellationToken,
}

impl Program {
    /// With nothing in it, at a time that stands still until it is set.
    pub async fn start(at: Timestamp) -> Self {
        Self::selling(at, music(), BillingMode::NotConfigured).await
    }

    /// With nothing in it but what this catalog sells, asking Stripe as `switch` says.
    pub async fn selling(at: Timestamp, catalog: Arc<Catalog>, switch: BillingMode) -> Self {
        let test = TestLedger::selling(catalog).await;
        test.clock.set(at);
        let (inbox, stop) = (Inbox::new(test.database.pool()), CancellationToken::new());
        tokio::spawn(
            Scheduler::new(test.database.pool(), test.ledger.clone(), alone(&test.ledger)).run(stop.clone()),
        );
        let server = Server::start_selling(test, HttpSettings::default(), switch).await;
        let secret = WebhookSecret::new("test", WEBHOOK_SECRET);
        Self { server, inbox, secret, client: reqwest::Client::new(), stop }
    }

    pub fn set_time(&self, at: Timestamp) {
        self.server.test.clock.set(at);
    }

    pub fn now(&self) -> Timestamp {
        self.server.test.clock.now()
    }

    /// Posts these bytes, signed.
    pub async fn post(&self, body: Vec<u8>) -> SendResult {
        let url = format!("{}/v1/webhooks/stripe", self.server.address);
        send::send(&self.client, &url, &self.secret, body, self.now()).await.expect("an answer")
    }

    /// Posts a recorded document, which is accepted.
    pub async fn deliver(&self, shape: &str, file: &str) {
        let answer = self.post(documents::read(shape, file)).await;
        assert!(answer.is_accepted(), "{shape}/{file}: {} {}", answer.status, answer.body);
    }

    /// Waits until every delivery was handled, or waits for something that has not come, and until callers see it.
    pub async fn handled(&self) {
        let begin = Instant::now();
        while self.inbox.count_open().await.expect("the database answers")[&InboxState::Received] > 0 {
            assert!(begin.elapsed() < PATIENCE, "the inbox is not worked off");
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
        self.followed().await;
    }

    /// Waits until every read model has all events.
    async fn followed(&self) {
        let begin = Instant::now();
        loop {
            let answer = self.read("/v1/projections").await;
            let listed = answer["projections"].as_array().expect("a list");
            if listed.iter().all(|projection| projection["lag_events"] == 0) {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "the read models do not follow: {answer:#}");
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
    }

    /// Waits until a delivery was tried so many times.
    pub async fn tried(&self, event: &str, attempts: i32) {
        let begin = Instant::now();
        while self.delivery(event).await["attempts"] != attempts {
            assert!(begin.elapsed() < PATIENCE, "{event} is not tried again");
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
    }

    /// What a caller reads, without what says how fresh it is.
    pub async fn read(&self, path: &str) -> Value {
        let answer = self.server.get(path).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        let mut body = answer.body;
        for name in ["as_of_position", "lag_ms"] {
            body.as_object_mut().expect("an object").remove(name);
        }
        body
    }

    /// The state of a delivery, and why it is in it.
    pub async fn delivery(&self, event: &str) -> Value {
        self.read(&format!("/v1/inbox/{event}")).await["event"].take()
    }

    /// Fails unless an auditor finds nothing: neither in the journal nor in any read model.
    pub async fn assert_clean(&self) {
        let verified = self.read("/v1/audit/verify").await;
        assert_eq!((&verified["clean"], &verified["findings"]), (&true.into(), &Value::Array(Vec::new())));
        let pool = self.server.test.database.pool();
        let feed = Feed::new(pool.clone());
        let clock = self.server.test.clock.clone();
        let projector = Projector::open(pool, feed, projections::all(), clock).await.expect("it opens");
        let mut verification = counterfoil::audit::Verification::default();
        verify_read_models(&projector, &mut verification, |_, _, _| {}).await.expect("they can be built");
        assert!(verification.is_clean(), "{:#?}", verification.findings);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
