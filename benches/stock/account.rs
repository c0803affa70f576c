//! What is the simplest account that can refuse? A balance.

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent, EventEnvelope, View};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StockAccount {
    available: i64,
}

#[derive(Clone, Copy, Debug)]
pub enum StockCommand {
    Deduct { amount: i64 },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StockEvent {
    Granted { amount: i64 },
    Deducted { amount: i64 },
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the account has {available} credits")]
pub struct StockRefusal {
    available: i64,
}

impl DomainEvent for StockEvent {
    fn event_type(&self) -> String {
        match self {
            Self::Granted { .. } => "Granted".to_owned(),
            Self::Deducted { .. } => "Deducted".to_owned(),
        }
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

impl Aggregate for StockAccount {
    const TYPE: &'static str = "stock_account";
    type Command = StockCommand;
    type Event = StockEvent;
    type Error = StockRefusal;
    type Services = ();

    async fn handle(
        &mut self,
        command: Self::Command,
        (): &Self::Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        let StockCommand::Deduct { amount } = command;
        if self.available < amount {
            return Err(StockRefusal { available: self.available });
        }
        sink.write(StockEvent::Deducted { amount }, self).await;
        Ok(())
    }

    fn apply(&mut self, event: Self::Event) {
        match event {
            StockEvent::Granted { amount } => self.available += amount,
            StockEvent::Deducted { amount } => self.available -= amount,
        }
    }
}

/// An account's balance, as a row that the framework keeps besides the events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StockBalance {
    pub available: i64,
}

impl View<StockAccount> for StockBalance {
    fn update(&mut self, event: &EventEnvelope<StockAccount>) {
        match event.payload {
            StockEvent::Granted { amount } => self.available += amount,
            StockEvent::Deducted { amount } => self.available -= amount,
        }
    }
}
