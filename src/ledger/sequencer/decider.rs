//! Which events does one command have, on one loaded account?

use std::sync::Arc;

use crate::{
    domain::{
        account::RunningBalances,
        catalog::Catalog,
        credits::Balance,
        decide::{Context, decide},
        event::Event,
        recorded::{EventMetadata, JournalPosition, Position, RecordedEvent, Shard},
        time::Timestamp,
    },
    journal::{load::LoadedAccount, row::NewRows},
};

use crate::ledger::request::{ExecuteError, ExecuteResult, Outcome, ReplyTo, Request};

/// Decides commands into one batch, after a position.
#[derive(Debug)]
pub(super) struct Decider<'a> {
    pub(super) shard: Shard,
    pub(super) catalog: &'a Catalog,
    /// See [`Catalog::stamp`].
    pub(super) stamp: &'a Arc<str>,
    pub(super) recorded_at: Timestamp,
    /// The position of the last decided event. Each decision moves it on.
    pub(super) last: &'a mut Position,
    /// The rows that store the events, with the positions that they will have.
    pub(super) rows: &'a mut NewRows,
}

/// The rules wrote something that cannot be applied or stored.
struct Damage;

impl Decider<'_> {
    /// Decides a request on `known`, and applies the events to it. `touched` is called before that.
    /// After [`ExecuteError::Damaged`], `known` must be dropped.
    pub(super) fn decide<R: ReplyTo>(
        &mut self,
        request: &Request<R>,
        known: &mut LoadedAccount,
        touched: impl FnOnce(&LoadedAccount),
    ) -> ExecuteResult {
        let context = Context { at: request.reply_to.accepted_at(), catalog: self.catalog };
        let events = decide(&known.state, &request.command, context).map_err(ExecuteError::Refused)?;
        let (last, rows) = (*self.last, self.rows.len());
        if events.is_empty() {
            return Ok(Outcome::new(Vec::new(), JournalPosition::new(self.shard, last)));
        }
        touched(known);
        let recorded = self.record_all((request, context.at), known, events).map_err(|Damage| {
            *self.last = last;
            self.rows.truncate(rows);
            ExecuteError::Damaged
        })?;
        Ok(Outcome::new(recorded, JournalPosition::new(self.shard, last)))
    }

    fn record_all<R>(
        &mut self,
        (request, at): (&Request<R>, Timestamp),
        known: &mut LoadedAccount,
        events: Vec<Event>,
    ) -> Result<Vec<RecordedEvent>, Damage> {
        let count = u32::try_from(events.len()).map_err(|_| Damage)?;
        let first = known.sequence().saturating_add(1);
        let mut all = Vec::with_capacity(events.len());
        let mut key = request.key.as_deref();
        let mut balances = RunningBalances::default();
        for event in events {
            known.state.apply(&event).map_err(|_| Damage)?;
            let (balance, then) = balances.after(&event, &known.state, at);
            let balance = (balance, then.filter(|then| *then != balance));
            self.last.0 = self.last.0.checked_add(1).ok_or(Damage)?;
            let sequence = known.sequence();
            let recorded = RecordedEvent {
                shard: self.shard,
                position: *self.last,
                account: known.id.clone(),
                sequence,
                recorded_at: self.recorded_at,
                metadata: self.metadata(
                    request,
                    balance,
                    Some(first).filter(|first| *first != sequence),
                    count,
                ),
                event,
            };
            known.tail = Some(self.rows.push(&recorded, key.take()).map_err(|_| Damage)?);
            all.push(recorded);
        }
        Ok(all)
    }

    fn metadata<R>(
        &self,
        request: &Request<R>,
        (balance, balance_then): (Balance, Option<Balance>),
        command: Option<i64>,
        events: u32,
    ) -> EventMetadata {
        let provenance = &request.provenance;
        EventMetadata {
            command,
            events,
            request_hash: request.hash,
            actor: provenance.actor.clone(),
            origin: provenance.origin,
            catalog: Arc::clone(self.stamp),
            balance,
            balance_then,
            correlation_id: provenance.correlation_id.clone(),
            causation_id: provenance.causation_id.clone(),
            stripe_event: provenance.stripe_event.clone(),
        }
    }
}
