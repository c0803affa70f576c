//! What happened in a big journal? Commands that the ledger's own rules decide, so that every event is a real one.
//!
//! The history is divided into cohorts of accounts that are used at the same time, so that only these are in memory.
//! Every tenth cohort is one account that is always busy.

use std::{collections::VecDeque, sync::Arc};

use counterfoil::{
    domain::{
        amount::Credits,
        catalog::Catalog,
        command::{
            AccountCommand, Command, CreditsCommand, Excess, Generation, GrantCredits, HoldFor,
            RecordedDeduction, Spent,
        },
        credits::Source,
        event::{Event, HoldEvent},
        ids::{AccountId, Actor, GenerationId, GenerationType, GrantId, HoldId},
        recorded::{Origin, Position, RecordedEvent, Shard},
        time::Timestamp,
    },
    journal::{load::LoadedAccount, snapshot},
    ledger::{IdempotencyKey, OfflineDecisions, Provenance, Request},
    load::{LoadAccounts, Random},
};

use super::rows::Chunk;
use crate::database::Fallible;

/// The events of a usual cohort, and its accounts.
const COHORT_EVENTS: u64 = 45_000;
const COHORT_ACCOUNTS: u64 = 1_000;
const COHORT_EVENTS_MIN: u64 = 1_000;
/// Of so many cohorts, one is the busy account.
const HOT_EVERY: u64 = 10;
/// As many events as a batch has under load.
const BLOCK_EVENTS: usize = 200;
/// 29 events a second: 50 million are twenty days.
const STEP_MICROS: i64 = 34_560;
/// An account is opened, gets its credits for signing up, and so many more that nothing is refused.
const OPENING_EVENTS: u64 = 3;
/// How many holds are open at once.
const HOLDS_MAX: usize = 20;
const HOLD_SECONDS: u32 = 3_600;
/// The free plan allows five generations a day.
const GENERATIONS_MAX: u32 = 4;
/// Less than what makes snapshots rarer.
const STATE_BYTES: usize = 40_000;
/// So that nothing is refused.
const PLENTY: i64 = 1_000_000_000_000;

/// A part of the history. Positions and accounts follow those of the cohorts before it.
#[derive(Clone, Copy, Debug)]
pub struct Cohort {
    pub events: u64,
    /// `None`: the busy account, and how many of its events were before.
    accounts: Option<u64>,
    first_account: u64,
    before: u64,
    /// Among those of the busy account.
    hot_turn: usize,
}

/// The cohorts of a history, and how many accounts it has.
#[derive(Clone, Debug)]
pub struct Plan {
    pub cohorts: Vec<Cohort>,
    pub accounts: LoadAccounts,
    begins_at: Timestamp,
}

impl Plan {
    /// A history of exactly this many events that ends before `until`.
    pub fn of(events: u64, names: LoadAccounts, until: Timestamp) -> Fallible<Self> {
        if events < COHORT_EVENTS_MIN {
            return Err(format!("a big journal has at least {COHORT_EVENTS_MIN} events").into());
        }
        let mut parts = Vec::new();
        let mut left = events;
        while left > 0 {
            // A rest that is too small for a cohort goes with the one before.
            let count = if left < COHORT_EVENTS + COHORT_EVENTS_MIN { left } else { COHORT_EVENTS };
            let is_hot = (parts.len() as u64).is_multiple_of(HOT_EVERY);
            parts.push((count, (!is_hot).then(|| (COHORT_ACCOUNTS * count / COHORT_EVENTS).max(1))));
            left -= count;
        }
        Self::of_parts(&parts, names, until)
    }

    /// Accounts that have hardly begun.
    pub fn empty(accounts: u64, names: LoadAccounts, until: Timestamp) -> Fallible<Self> {
        Self::of_parts(&[(4, None), (4 * accounts, Some(accounts))], names, until)
    }

    fn of_parts(parts: &[(u64, Option<u64>)], names: LoadAccounts, until: Timestamp) -> Fallible<Self> {
        let (mut before, mut first_account, mut hot_turn) = (0, 1, 0);
        let cohorts = parts.iter().map(|(events, accounts)| {
            let cohort = Cohort { events: *events, accounts: *accounts, first_account, before, hot_turn };
            before += events;
            first_account += accounts.unwrap_or(0);
            hot_turn += usize::from(accounts.is_none());
            cohort
        });
        let cohorts: Vec<Cohort> = cohorts.collect();
        let begins_at = until.micros() - STEP_MICROS * i64::try_from(before)?;
        Ok(Self {
            cohorts,
            accounts: LoadAccounts { count: first_account, ..names },
            begins_at: Timestamp::from_micros(begins_at).ok_or("no such time")?,
        })
    }

    pub fn events(&self) -> u64 {
        self.cohorts.iter().map(|cohort| cohort.events).sum()
    }
}

impl Cohort {
    /// Its turn among the cohorts of the busy account, which follow from each other.
    pub fn hot_turn(&self) -> Option<usize> {
        self.accounts.is_none().then_some(self.hot_turn)
    }
}

/// An account with what its next commands are about.
#[derive(Clone, Debug)]
pub struct Customer {
    pub known: LoadedAccount,
    /// As it was when the program would have taken its last snapshot.
    pub snapshot: Option<LoadedAccount>,
    generations: u32,
    /// The last deduction, if it was not refunded.
    deducted: Option<Arc<Vec<RecordedEvent>>>,
}

impl Customer {
    pub fn new(id: AccountId) -> Self {
        Self { known: LoadedAccount::nothing(id), snapshot: None, generations: 0, deducted: None }
    }
}

/// Decides one cohort.
pub struct CohortWriter<'a> {
    plan: &'a Plan,
    cohort: Cohort,
    decisions: OfflineDecisions<'a>,
    random: Random,
    customers: Vec<Customer>,
    /// The customers with an open hold, and the hold.
    holds: VecDeque<(usize, HoldId)>,
    made: u64,
    chunk: Chunk,
}

impl<'a> CohortWriter<'a> {
    /// `hot`: the busy account, for its cohorts.
    pub fn new(
        plan: &'a Plan,
        cohort: Cohort,
        catalog: &'a Catalog,
        hot: Option<Customer>,
    ) -> Fallible<Self> {
        let before = i64::try_from(cohort.before)?;
        Ok(Self {
            plan,
            cohort,
            decisions: OfflineDecisions::new(Shard(0), catalog, Position(before)),
            random: Random::from_seed(cohort.before + 1),
            customers: hot.into_iter().collect(),
            holds: VecDeque::new(),
            made: 0,
            chunk: Chunk::after(before),
        })
    }

    /// All of its events, and its customers as they are then.
    pub fn write(mut self) -> Fallible<(Chunk, Vec<Customer>)> {
        while self.made < self.cohort.events {
            self.step()?;
            if self.decisions.len() >= BLOCK_EVENTS {
                self.end_block();
            }
        }
        if self.made != self.cohort.events || !self.holds.is_empty() {
            return Err(format!("{} of {} events were made", self.made, self.cohort.events).into());
        }
        if !self.decisions.is_empty() {
            self.end_block();
        }
        Ok((self.chunk, self.customers))
    }

    fn end_block(&mut self) {
        let (rows, recorded_at) = self.decisions.end_block();
        self.chunk.push_block(&rows, recorded_at);
    }

    /// One command, of the next customer. At the end, every hold is committed.
    fn step(&mut self) -> Fallible<()> {
        let left = self.cohort.events - self.made;
        if self.holds.len() as u64 >= left || self.holds.len() >= HOLDS_MAX {
            return self.commit();
        }
        let wanted = self.cohort.accounts.unwrap_or(1);
        let opened = self.customers.len() as u64;
        // All of them in the first half, and never so late that there is no room for what opens one.
        let has_room = left > self.holds.len() as u64 + OPENING_EVENTS;
        if opened < wanted && has_room && self.made * wanted * 2 >= opened * self.cohort.events {
            return self.open();
        }
        // One in eight is for one of the first, who are busier.
        let among = if self.random.below(8) == 0 { opened.div_ceil(100) } else { opened };
        let index = self.random.below(among) as usize;
        self.spend(index, self.holds.len() as u64 + 1 < left)
    }

    fn open(&mut self) -> Fallible<()> {
        let number = match self.cohort.accounts {
            Some(_) => self.cohort.first_account + self.customers.len() as u64,
            None => 0,
        };
        self.customers.push(Customer::new(AccountId::parse(&self.plan.accounts.name(number))?));
        let index = self.customers.len() - 1;
        self.execute(index, Command::Account(AccountCommand::OpenAccount), Some(IdempotencyKey::opening()))?;
        self.execute(index, Command::Credits(CreditsCommand::GrantCredits(plenty()?)), None)?;
        Ok(())
    }

    /// `may_hold`: whether there is room left to commit it.
    fn spend(&mut self, index: usize, may_hold: bool) -> Fallible<()> {
        let dice = self.random.below(100);
        let amount = Credits::new(1 + (dice % 9) as i64).ok_or("negative")?;
        let customer = &mut self.customers[index];
        let id = Some(GenerationId::parse(&format!("gen_{:012x}", self.random.next_u64() >> 16))?);
        let command = match (dice, customer.deducted.take()) {
            (0..=2, Some(deducted)) => refund(&deducted)?,
            (3..=4, _) if may_hold => CreditsCommand::HoldCredits {
                what: HoldFor::Amount { amount, id, description: None },
                expires_in_s: Some(HOLD_SECONDS),
            },
            (5..=14, _) if customer.generations < GENERATIONS_MAX && self.cohort.accounts.is_some() => {
                customer.generations += 1;
                let kind = GenerationType::parse("standard_generation")?;
                CreditsCommand::Generate(Generation { kind, options: std::collections::BTreeMap::new(), id })
            }
            (15..=60, _) => CreditsCommand::DeductCredits { amount, id, description: None },
            _ => CreditsCommand::DeductCredits { amount, id: None, description: None },
        };
        let is_hold = matches!(command, CreditsCommand::HoldCredits { .. });
        let is_deduction = matches!(command, CreditsCommand::DeductCredits { .. });
        let events = self.execute(index, Command::Credits(command), None)?;
        if is_hold {
            let held = events.iter().find_map(|recorded| {
                let Event::Hold(HoldEvent::CreditsHeld { hold_id, .. }) = &recorded.event else {
                    return None;
                };
                Some(hold_id.clone())
            });
            self.holds.push_back((index, held.ok_or("nothing is held")?));
        }
        if is_deduction {
            self.customers[index].deducted = Some(events);
        }
        Ok(())
    }

    fn commit(&mut self) -> Fallible<()> {
        let (index, hold_id) = self.holds.pop_front().ok_or("no hold is open")?;
        let commit = CreditsCommand::CommitHold { hold_id, amount: None, excess: Excess::Reject };
        self.execute(index, Command::Credits(commit), None)?;
        Ok(())
    }

    fn execute(
        &mut self,
        index: usize,
        command: Command,
        key: Option<IdempotencyKey>,
    ) -> Fallible<Arc<Vec<RecordedEvent>>> {
        // As long as the ids that callers make.
        let unique = format!("{:016x}{:016x}", self.random.next_u64(), self.random.next_u64());
        let key = key.unwrap_or_else(|| IdempotencyKey::caller(&unique));
        let customer = &mut self.customers[index];
        let provenance = Provenance {
            actor: Actor::parse("cf_live_12345678")?,
            origin: Origin::Api,
            correlation_id: Some(unique),
            causation_id: None,
            stripe_event: None,
        };
        let offset = STEP_MICROS * i64::try_from(self.cohort.before + self.made)?;
        let at = Timestamp::from_micros(self.plan.begins_at.micros() + offset).ok_or("no such time")?;
        let request = Request::new(customer.known.id.clone(), command, key, provenance);
        let before = customer.known.sequence();
        let outcome = self.decisions.decide(request, at, &mut customer.known)?;
        if snapshot::is_due(before, customer.known.sequence(), STATE_BYTES) {
            customer.snapshot = Some(customer.known.clone());
        }
        self.made += outcome.events.len() as u64;
        Ok(outcome.events)
    }
}

/// Spent before the sign-up credits, so that every deduction draws on one grant.
fn plenty() -> Fallible<GrantCredits> {
    Ok(GrantCredits {
        grant_id: GrantId::parse("plenty")?,
        source: Source::Bonus,
        amount: Credits::new(PLENTY).ok_or("negative")?,
        starts_at: None,
        expires_at: None,
        priority: Some(0),
        cost: None,
        reason: "benchmark".to_owned(),
    })
}

fn refund(deducted: &[RecordedEvent]) -> Fallible<CreditsCommand> {
    let found = deducted.iter().find_map(|recorded| {
        let found = RecordedDeduction::of(&recorded.event)?;
        // It was the customer's last command: nothing was refunded since.
        Some(RecordedDeduction { refunded_until: u64::try_from(recorded.sequence).ok()?, ..found })
    });
    let found = found.ok_or("no deduction")?;
    Ok(CreditsCommand::RefundDeductions {
        of: Spent::Deduction(found.deduction_id.clone()),
        deductions: vec![found],
        amount: None,
        reason: "the generation failed".to_owned(),
    })
}
