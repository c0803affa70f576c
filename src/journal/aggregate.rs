//! How does the account fit the framework's `Aggregate`? By a thin adapter, so that the domain knows nothing of it.

use std::{fmt, sync::Arc};

use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use serde::{Deserialize, Serialize};

use crate::domain::{
    account::Account,
    catalog::Catalog,
    command::Command,
    decide::{Context, decide},
    event::Event,
    refusal::Refusal,
    time::Timestamp,
};

use super::upcast;

/// An account, as the framework sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountAggregate(pub Account);

/// An event, as the framework sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AggregateEvent(pub Event);

/// A refusal, in the form that the framework needs for errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedCommand(pub Refusal);

impl fmt::Display for RefusedCommand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "refused: {:?}", self.0)
    }
}

impl std::error::Error for RefusedCommand {}

impl DomainEvent for AggregateEvent {
    fn event_type(&self) -> String {
        self.0.name().to_owned()
    }

    fn event_version(&self) -> String {
        upcast::newest(self.0.name()).to_owned()
    }
}

impl Aggregate for AccountAggregate {
    const TYPE: &'static str = "account";
    /// The command, and the time of its decision: the framework has no clock.
    type Command = (Command, Timestamp);
    type Event = AggregateEvent;
    type Error = RefusedCommand;
    type Services = Arc<Catalog>;

    async fn handle(
        &mut self,
        (command, at): Self::Command,
        catalog: &Self::Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        let events = decide(&self.0, &command, Context { at, catalog }).map_err(RefusedCommand)?;
        // The sink applies each event to the account that it gets, and a store with snapshots applies it again.
        // So it gets a copy, and this account is only changed by what was stored.
        let mut copy = self.clone();
        for event in events {
            sink.write(AggregateEvent(event), &mut copy).await;
        }
        Ok(())
    }

    #[expect(clippy::panic, reason = "the framework has no way to say that a history is corrupt")]
    fn apply(&mut self, AggregateEvent(event): Self::Event) {
        if let Err(corrupt) = self.0.apply(&event) {
            panic!("{corrupt}: {}", event.name());
        }
    }
}
