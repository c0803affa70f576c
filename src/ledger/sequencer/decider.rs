//! One command on one known account: its events, as they will be stored.

use uuid::Uuid;

use crate::{
    domain::{
        account::RunningBalances,
        catalog::Catalog,
        credits::Balance,
        decide::{Context, decide},
        event::Event,
        recorded::{EventMetadata, Position, RecordedEvent, Shard},
        refusal::Refusal,
        time::Timestamp,
    },
    journal::{event_id, load::LoadedAccount, row::NewRow},
};

use crate::ledger::request::Job;

/// Events and the rows that store them, at the positions that they will have if the batch is stored.
#[derive(Debug, Default)]
pub(super) struct StagedDecision {
    pub(super) events: Vec<RecordedEvent>,
    pub(super) rows: Vec<NewRow>,
}

#[derive(Debug)]
pub(super) enum NoDecision {
    Refused(Refusal),
    /// The rules wrote what cannot be applied or stored. The account must be looked at.
    Damaged,
}

/// Where decisions go: one batch, after a position.
#[derive(Debug)]
pub(super) struct Decider<'a> {
    pub(super) shard: Shard,
    pub(super) catalog: &'a Catalog,
    pub(super) recorded_at: Timestamp,
    /// The position of the last event that was decided. It moves on with each.
    pub(super) last: &'a mut Position,
}

impl Decider<'_> {
    /// Decides a job on `known`, and moves `known` on. `touched` is called before it moves.
    pub(super) fn decide<R>(
        &mut self,
        job: &Job<R>,
        known: &mut LoadedAccount,
        touched: impl FnOnce(&LoadedAccount),
    ) -> Result<StagedDecision, NoDecision> {
        let context = Context { at: job.at, catalog: self.catalog };
        let events = decide(&known.state, &job.request.command, context).map_err(NoDecision::Refused)?;
        if events.is_empty() {
            return Ok(StagedDecision::default());
        }
        touched(known);
        let before = *self.last;
        let decision = self.record_all(job, known, events);
        if decision.is_err() {
            *self.last = before;
        }
        decision
    }

    fn record_all<R>(
        &mut self,
        job: &Job<R>,
        known: &mut LoadedAccount,
        events: Vec<Event>,
    ) -> Result<StagedDecision, NoDecision> {
        let count = u32::try_from(events.len()).map_err(|_| NoDecision::Damaged)?;
        let mut command_id = None;
        let mut decision = StagedDecision::default();
        let mut key = job.request.key.as_deref();
        let mut balances = RunningBalances::default();
        for event in events {
            known.state.apply(&event).map_err(|_| NoDecision::Damaged)?;
            let (balance, then) = balances.after(&event, &known.state, job.at);
            let balance = (balance, then.filter(|then| *then != balance));
            self.last.0 = self.last.0.checked_add(1).ok_or(NoDecision::Damaged)?;
            let event_id = event_id(job.at);
            let recorded = RecordedEvent {
                shard: self.shard,
                position: *self.last,
                account: known.id.clone(),
                sequence: known.sequence(),
                recorded_at: self.recorded_at,
                metadata: self.metadata(job, balance, (event_id, command_id), count),
                event,
            };
            let row = NewRow::encode(&recorded, key.take()).map_err(|_| NoDecision::Damaged)?;
            known.tail = Some(row.leaf_hash);
            command_id = command_id.or(Some(event_id));
            decision.events.push(recorded);
            decision.rows.push(row);
        }
        Ok(decision)
    }

    fn metadata<R>(
        &self,
        job: &Job<R>,
        (balance, balance_then): (Balance, Option<Balance>),
        (event_id, command_id): (Uuid, Option<Uuid>),
        events: u32,
    ) -> EventMetadata {
        let provenance = &job.request.provenance;
        EventMetadata {
            event_id,
            command_id,
            events,
            request_hash: job.hash.clone(),
            actor: provenance.actor.clone(),
            origin: provenance.origin,
            catalog: self.catalog.hash.clone(),
            balance,
            balance_then,
            correlation_id: provenance.correlation_id.clone(),
            causation_id: provenance.causation_id.clone(),
            stripe_event: provenance.stripe_event.clone(),
        }
    }
}
