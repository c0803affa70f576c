//! What happens in the simulation? Some instances and the shards of a journal, one step after the other.

use std::{cell::RefCell, collections::VecDeque, rc::Rc, sync::Arc};

use chrono::TimeDelta;
use proptest::{
    prelude::RngExt,
    test_runner::{RngAlgorithm, TestRng},
};

use crate::{
    domain::{catalog::Catalog, ids::AccountId, recorded::Position, time::Timestamp},
    journal::shards::Shards,
    ledger::{
        ExecuteResult, Request,
        sequencer::{AppendFailure, AppendRequest, Appended, Limits, LoadFailure, Locked, Sequencer},
    },
};

use super::{
    PlantedBug, commands,
    journal::SimulatedJournal,
    writer::{Caller, Flight, Sent, Writer},
};

/// Small enough that each of them is met.
const LIMITS: Limits = Limits {
    commands: 24,
    arriving: 4,
    batch_events: 6,
    accounts_bytes: 8_000,
    load_accounts: 2,
    loads: 2,
    answers: 6,
};

pub(super) struct World {
    rng: TestRng,
    pub catalog: Arc<Catalog>,
    planted: Option<PlantedBug>,
    is_told: bool,
    now: Timestamp,
    shards: Shards,
    /// One for each shard.
    pub journals: Vec<SimulatedJournal>,
    /// Those of each instance, for each shard.
    writers: Vec<Writer>,
    pub sent: Vec<Sent>,
    answers: Rc<RefCell<Vec<(usize, ExecuteResult)>>>,
    dropped: Rc<RefCell<Vec<usize>>>,
    /// Appends of which nobody knows, and that may still come.
    late: Vec<AppendRequest>,
    /// How many of a hundred things go wrong.
    faults: u32,
    pub double_answers: Vec<usize>,
}

impl World {
    pub(super) fn new(catalog: Arc<Catalog>, seed: u64, planted: Option<PlantedBug>, is_told: bool) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let faults = [0, 10, 40][rng.random_range(0..3)];
        let (instances, slots) = (rng.random_range(2..=3), [1, 1, 2, 4][rng.random_range(0..4)]);
        let heads: Vec<(i16, i16, i16)> = (0..slots).map(|slot| (slot * 3, slot, slots)).collect();
        let shards = Shards::of_heads(&heads).expect("they are whole");
        let journals = shards.iter().map(SimulatedJournal::of_shard).collect::<Vec<_>>();
        let mut world = Self {
            rng,
            catalog,
            planted,
            is_told,
            now: Timestamp::parse("2026-11-20T12:00:00Z").expect("a time"),
            shards,
            journals,
            writers: Vec::new(),
            sent: Vec::new(),
            answers: Rc::default(),
            dropped: Rc::default(),
            late: Vec::new(),
            faults,
            double_answers: Vec::new(),
        };
        let writers =
            (0..instances).flat_map(|instance| (0..world.journals.len()).map(move |shard| (instance, shard)));
        world.writers = writers.map(|(instance, shard)| world.started(instance, shard)).collect();
        world
    }

    fn started(&self, instance: usize, shard: usize) -> Writer {
        let journal = &self.journals[shard];
        let mut sequencer =
            Sequencer::new(journal.shard, 1, Arc::clone(&self.catalog), LIMITS, journal.head());
        sequencer.keeps_what_was_decided_on_a_lost_batch = self.planted == Some(PlantedBug::EpochNotDropped);
        let (queue, loads) = (VecDeque::new(), Vec::new());
        Writer { instance, shard, sequencer, queue, flight: None, loads, found_early: None }
    }

    /// Where an instance looks for an account.
    fn shard_of(&self, account: &AccountId, instance: usize) -> usize {
        let slot = self.shards.slot_of(account);
        let goes_wrong = self.planted == Some(PlantedBug::AnotherShard) && instance == 0;
        if goes_wrong { (slot + 1) % self.journals.len() } else { slot }
    }

    /// The shard that an account is in.
    pub(super) fn journal_of(&self, account: &AccountId) -> &SimulatedJournal {
        &self.journals[self.shards.slot_of(account)]
    }

    fn journal(&self, index: usize) -> &SimulatedJournal {
        &self.journals[self.writers[index].shard]
    }

    fn tell(&self, text: impl FnOnce() -> String) {
        if self.is_told {
            let heads: Vec<String> =
                self.journals.iter().map(|journal| journal.head().0.to_string()).collect();
            println!("{:>8} {}", heads.join("."), text());
        }
    }

    fn fails(&mut self) -> bool {
        self.rng.random_range(0..100) < self.faults
    }

    /// Everything that happens, until all is answered.
    pub(super) fn run(&mut self) {
        let commands = self.rng.random_range(10..100);
        while self.sent.len() < commands {
            self.step();
        }
        // From here on nothing fails, and so everything must end.
        self.faults = 0;
        let mut steps = 0;
        while self.writers.iter().any(|writer| !writer.is_idle()) {
            self.drain_step();
            steps += 1;
            assert!(steps < 10_000, "commands wait for ever");
        }
        while let Some(late) = self.late.pop() {
            let _refused = self.append(&late);
        }
    }

    fn step(&mut self) {
        let index = self.rng.random_range(0..self.writers.len());
        match self.rng.random_range(0..20) {
            0..=5 => self.send(index),
            6..=8 => self.hand_over(index),
            9..=10 => self.seal(index),
            11..=12 => self.store(index),
            13..=14 => self.report(index),
            15 => self.load(index),
            16..=17 => self.recover(index),
            18 => self.come_late(),
            _ => self.pass_time_or_die(index),
        }
        self.take_answers();
    }

    fn drain_step(&mut self) {
        let index = self.rng.random_range(0..self.writers.len());
        match self.rng.random_range(0..6) {
            0 => self.hand_over(index),
            1 => self.seal(index),
            2 => self.store(index),
            3 => self.report(index),
            4 => self.load(index),
            _ => self.recover(index),
        }
        self.take_answers();
    }

    fn send(&mut self, index: usize) {
        let earlier: Vec<Request> = self.sent.iter().map(|sent| sent.request.clone()).collect();
        let holds: Vec<_> = self.journals.iter().flat_map(SimulatedJournal::holds).collect();
        let request = commands::request(&mut self.rng, &earlier, &holds, self.now);
        let number = self.sent.len();
        let instance = self.writers[index].instance;
        let shard = self.shard_of(&request.account, instance);
        let index =
            self.writers.iter().position(|writer| (writer.instance, writer.shard) == (instance, shard));
        let index = index.expect("each instance has a writer for each shard");
        self.tell(|| {
            format!("{number} to {index}: {:?} {:?} {:?}", request.account, request.key, request.command)
        });
        let (answers, dropped) = (Rc::clone(&self.answers), Rc::clone(&self.dropped));
        let caller = Caller { number, sent_at: self.now, answers, dropped };
        self.writers[index].queue.push_back(request.clone().with_reply_to(caller));
        let (at, sent_at) = (self.now, self.journals[shard].head());
        self.sent.push(Sent { request, shard, at, sent_at, answer: None, is_lost: false });
    }

    fn hand_over(&mut self, index: usize) {
        let Writer { sequencer, queue, .. } = &mut self.writers[index];
        for _ in 0..LIMITS.arriving {
            if !sequencer.has_room() {
                break;
            }
            let Some(request) = queue.pop_front() else { break };
            sequencer.accept(request, self.now);
        }
    }

    fn seal(&mut self, index: usize) {
        let instance = &mut self.writers[index];
        if instance.flight.is_none()
            && let Some(request) = instance.sequencer.seal()
        {
            instance.flight = Some(Flight { request, stored: None });
            self.tell(|| format!("{index} seals a batch"));
        }
    }

    /// The append comes to the journal, or does not.
    fn store(&mut self, index: usize) {
        if self.writers[index].flight.as_ref().is_none_or(|flight| flight.stored.is_some()) {
            return;
        }
        let fate = if self.fails() { self.rng.random_range(1..=4) } else { 0 };
        let Some(mut flight) = self.writers[index].flight.take() else { return };
        let stored = match fate {
            0 => self.append(&flight.request),
            1 => Err(AppendFailure::NotStored),
            2 => Err(AppendFailure::Unknown),
            3 => {
                let _unheard = self.append(&flight.request);
                Err(AppendFailure::Unknown)
            }
            _ => {
                let AppendRequest { shard, shardings, expected, recorded_at, rows, .. } = &flight.request;
                let (rows, preconditions) = (rows.clone(), Vec::new());
                let (shard, shardings, expected, recorded_at) = (*shard, *shardings, *expected, *recorded_at);
                let late = AppendRequest { shard, shardings, expected, recorded_at, rows, preconditions };
                self.late.push(late);
                Err(AppendFailure::Unknown)
            }
        };
        self.tell(|| format!("{index} appends: fate {fate}, {stored:?}"));
        flight.stored = Some(stored);
        self.writers[index].flight = Some(flight);
    }

    fn append(&mut self, request: &AppendRequest) -> Result<Position, AppendFailure> {
        if request.rows.is_empty() {
            return Ok(request.expected);
        }
        let journal = self.journals.iter_mut().find(|journal| journal.shard == request.shard);
        let journal = journal.expect("it is there");
        journal.append(request).map_err(|_| AppendFailure::NotStored)
    }

    /// The sequencer learns what came of its append.
    fn report(&mut self, index: usize) {
        let cannot_look = self.fails();
        let shard = self.writers[index].shard;
        let instance = &mut self.writers[index];
        let Some(Flight { request, stored: Some(stored) }) =
            instance.flight.take_if(|flight| flight.stored.is_some())
        else {
            return;
        };
        let outdated = match self.planted {
            Some(PlantedBug::PreconditionsNotChecked) => Vec::new(),
            _ if cannot_look => (0..request.preconditions.len()).collect(),
            _ => self.journals[shard].outdated(&request.preconditions),
        };
        let appended = stored.map(|position| Appended { position, outdated });
        let answers = instance.sequencer.appended(appended);
        // The next batch goes on its way before this one is answered.
        instance.flight = instance.sequencer.seal().map(|request| Flight { request, stored: None });
        instance.sequencer.answer(answers, self.now);
    }

    fn load(&mut self, index: usize) {
        let fails = self.fails();
        let instance = &mut self.writers[index];
        while let Some(ids) = instance.sequencer.next_load() {
            instance.loads.push(ids);
        }
        if instance.loads.is_empty() {
            return;
        }
        let ids = instance.loads.swap_remove(0);
        let loaded =
            if fails { Err(LoadFailure::Unavailable) } else { Ok(self.journals[instance.shard].load(&ids)) };
        instance.sequencer.loaded(ids, loaded, self.now);
    }

    /// Nothing else changes the journal while a recovery holds its lock, so that one step does it all.
    fn recover(&mut self, index: usize) {
        let Some(request) = self.writers[index].sequencer.recovery() else { return };
        let head = self.journal(index).head();
        let mut found = self.journal(index).find(&request.uniques);
        if self.planted == Some(PlantedBug::KeysLookedUpTooEarly) {
            match self.writers[index].found_early.take() {
                Some(early) => found = early.into_iter().collect(),
                None => {
                    self.writers[index].found_early = Some(found.into_iter().collect());
                    return;
                }
            }
        }
        let fate = if self.fails() { self.rng.random_range(1..=4) } else { 0 };
        let gives_up = fate > 0 && self.rng.random_bool(0.4);
        let ids: Vec<AccountId> = request.accounts.iter().map(|account| account.id.clone()).collect();
        let accounts = self.journal(index).load(&ids);
        let sequencer = &self.writers[index].sequencer;
        let mut redecided = sequencer.decide_again(Locked { head, found: found.clone(), accounts }, self.now);
        if self.planted == Some(PlantedBug::KeysLookedUpLate) {
            let accounts = self.journal(index).load(&ids);
            let late = sequencer.decide_again(Locked { head, found: [].into(), accounts }, self.now);
            // Only what would be stored is looked up.
            if late.append.rows.is_empty() {
                redecided = late;
            }
        }
        let stored = match fate {
            0 | 3 if redecided.append.rows.is_empty() => Ok(head),
            0 | 3 => self.append(&redecided.append).map_err(|_| false),
            1 | 4 => Err(false),
            _ => Err(true),
        };
        self.tell(|| format!("{index} recovers: fate {fate}, {stored:?}"));
        let instance = &mut self.writers[index];
        match stored {
            Ok(head) if fate == 0 => instance.sequencer.recovered(redecided, head, self.now),
            Ok(_) => instance.sequencer.recovery_failed(true),
            Err(may_be_stored) => instance.sequencer.recovery_failed(may_be_stored),
        }
        if gives_up {
            instance.sequencer.give_up_recovery(self.now);
        }
    }

    fn come_late(&mut self) {
        if let Some(late) = self.late.pop() {
            let stored = self.append(&late).is_ok();
            self.tell(|| format!("an append comes late: {}", if stored { "stored" } else { "refused" }));
        }
    }

    fn pass_time_or_die(&mut self, index: usize) {
        self.now = self.now.plus(TimeDelta::seconds(self.rng.random_range(1..120)));
        if self.fails() && self.rng.random_bool(0.3) {
            let instance = self.writers[index].instance;
            self.tell(|| format!("{instance} dies"));
            for index in 0..self.writers.len() {
                if self.writers[index].instance == instance {
                    self.end_lane(index);
                }
            }
        }
    }

    fn end_lane(&mut self, index: usize) {
        let started = self.started(self.writers[index].instance, self.writers[index].shard);
        let died = std::mem::replace(&mut self.writers[index], started);
        // What it had sent may still come.
        self.late.extend(died.flight.filter(|flight| flight.stored.is_none()).map(|flight| flight.request));
        self.take_answers();
        self.dropped.borrow_mut().clear();
        drop((died.sequencer, died.queue));
        for number in self.dropped.borrow_mut().drain(..) {
            self.sent[number].is_lost = true;
        }
    }

    fn take_answers(&mut self) {
        let answers: Vec<_> = self.answers.borrow_mut().drain(..).collect();
        for (number, answer) in answers {
            self.tell(|| format!("{number} is answered: {answer:?}"));
            let head = self.journals[self.sent[number].shard].head();
            if self.sent[number].answer.replace((answer, head)).is_some() {
                self.double_answers.push(number);
            }
        }
    }
}
