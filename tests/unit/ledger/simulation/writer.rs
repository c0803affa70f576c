//! Who works in the simulation, and what do they wait for?

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use crate::{
    domain::{
        ids::AccountId,
        recorded::{Position, RecordedEvent},
        time::Timestamp,
    },
    ledger::{
        ExecuteResult, Request,
        request::{AccountUnique, ReplyTo},
        sequencer::{AppendFailure, AppendRequest, Sequencer},
    },
};

/// A command that somebody sent.
pub(super) struct Sent {
    pub request: Request,
    /// The place of its account's shard.
    pub shard: usize,
    pub at: Timestamp,
    /// Where the shard was then.
    pub sent_at: Position,
    /// Where it was when the answer came, if one did.
    pub answer: Option<(ExecuteResult, Position)>,
    /// The instance died with it.
    pub is_lost: bool,
}

/// Where the answers to one command go.
#[derive(Debug)]
pub(super) struct Caller {
    pub number: usize,
    pub sent_at: Timestamp,
    pub answers: Rc<RefCell<Vec<(usize, ExecuteResult)>>>,
    /// Those that nobody can answer any more.
    pub dropped: Rc<RefCell<Vec<usize>>>,
}

impl ReplyTo for Caller {
    fn accepted_at(&self) -> Timestamp {
        self.sent_at
    }

    fn send(self, answer: ExecuteResult) {
        self.answers.borrow_mut().push((self.number, answer));
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.dropped.borrow_mut().push(self.number);
    }
}

/// An append on its way.
pub(super) struct Flight {
    pub request: AppendRequest,
    /// What the journal said, once it has.
    pub stored: Option<Result<Position, AppendFailure>>,
}

/// What an instance has for one shard.
pub(super) struct Writer {
    pub instance: usize,
    pub shard: usize,
    pub sequencer: Sequencer<Caller>,
    pub queue: VecDeque<Request<Caller>>,
    pub flight: Option<Flight>,
    pub loads: Vec<Vec<AccountId>>,
    /// What a recovery looked up before it held the lock, where that bug is planted.
    pub found_early: Option<Vec<(AccountUnique, Vec<RecordedEvent>)>>,
}

impl Writer {
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.flight.is_none() && self.loads.is_empty() && self.sequencer.is_idle()
    }
}
