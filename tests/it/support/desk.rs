//! An inbox with its processor, on a real database and with a clock that is set.

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use counterfoil::{
    clock::Clock,
    domain::{catalog::Catalog, ids::AccountId},
    ledger::Ledger,
    stripe::inbound::{
        inbox::{Inbox, InboxReceipt, InboxState, ReceiveError},
        processor::{InboxProgress, Processor},
        signature::{Secrets, sign},
    },
};
use serde_json::Value;

use super::documents::{ADA, SHAPES, here, read};
use crate::support::ledger::{TestLedger, music};

pub struct Desk {
    pub inbox: Inbox,
    pub processor: Processor,
    pub test: TestLedger,
    pub secrets: Secrets,
}

impl Desk {
    /// How many events are in each state.
    pub async fn count(&self) -> BTreeMap<InboxState, i64> {
        let counted = sqlx::query_as("select state, count(*) from ledger.stripe_inbox group by state");
        let counted: Vec<(String, i64)> = counted.fetch_all(&self.test.database.pool()).await.unwrap();
        let mut counts: BTreeMap<InboxState, i64> =
            InboxState::ALL.into_iter().map(|state| (state, 0)).collect();
        counts.extend(counted.into_iter().map(|(state, count)| (InboxState::parse(&state).unwrap(), count)));
        counts
    }

    pub async fn open() -> Self {
        Self::selling(music()).await
    }

    pub async fn selling(catalog: Arc<Catalog>) -> Self {
        let test = TestLedger::selling(catalog).await;
        let inbox = Inbox::new(test.database.pool());
        let processor = Processor::new(inbox.clone(), test.ledger.clone(), here());
        Self { inbox, processor, test, secrets: Secrets::parse("whsec_test").unwrap() }
    }

    pub fn clock(&self) -> &Clock {
        &self.test.clock
    }

    pub async fn receive(&self, body: &[u8]) -> Result<InboxReceipt, ReceiveError> {
        let at = self.clock().now();
        let header = sign(self.secrets.first().unwrap(), body, at);
        self.inbox.receive(&self.secrets, Some(&header), body, at).await
    }

    pub async fn take(&self, event: &Value) -> String {
        self.receive(&serde_json::to_vec(event).unwrap()).await.unwrap().event.to_string()
    }

    pub async fn take_file(&self, shape: &str, file: &str) -> String {
        self.receive(&read(shape, file)).await.unwrap().event.to_string()
    }

    pub async fn work(&self) {
        while self.processor.work().await.unwrap() != InboxProgress::Idle {}
    }

    pub async fn state(&self, event: &str) -> InboxState {
        self.inbox.find(event).await.unwrap().expect("it was received").summary.state
    }

    /// Why the event is in its state.
    pub async fn reason(&self, event: &str) -> String {
        self.inbox.find(event).await.unwrap().expect("it was received").summary.reason.unwrap_or_default()
    }

    /// What Ada can spend.
    pub async fn ada(&self) -> i64 {
        available(&self.test.ledger, ADA, self.clock()).await
    }

    /// Takes these documents of the newer shape, one after the other, and handles each.
    pub async fn tell(&self, files: &[&str]) {
        for file in files {
            self.take_file(SHAPES[1], file).await;
            self.work().await;
        }
    }

    pub fn pass(&self, seconds: i64) {
        self.clock().set(self.clock().now().plus(TimeDelta::seconds(seconds)));
    }
}

pub async fn available(ledger: &Ledger, account: &str, clock: &Clock) -> i64 {
    let view = ledger.view(&AccountId::parse(account).unwrap()).await.unwrap();
    view.account.balance(clock.now()).available.get()
}
