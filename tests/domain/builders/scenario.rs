//! How does a test say: given these events, when this command comes, then these events are decided?

use chrono::TimeDelta;
use domain::{
    account::{Account, OpenAccount},
    catalog::Catalog,
    command::{AccountCommand, Command, RecordedDeduction},
    credits::{Balance, DeductionRefunds, Grant},
    decide::{Context, decide},
    event::{CreditsEvent, Event},
    ids::{DeductionId, GrantId},
    refusal::Refusal,
    time::Timestamp,
};

use super::{
    catalog::{self, credits},
    words::{day, refund},
};

/// An account, its history and the clock. After each event, every law about a single state is checked.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub catalog: Catalog,
    pub account: Account,
    pub history: Vec<Event>,
    pub clock: Timestamp,
    outcome: Option<Result<Vec<Event>, Refusal>>,
}

/// An account with this history. The clock is at the time of its last event.
pub fn given(events: impl IntoIterator<Item = Event>) -> Scenario {
    let mut scenario = Scenario {
        catalog: catalog::catalog(),
        account: Account::Unopened,
        history: Vec::new(),
        clock: day(0),
        outcome: None,
    };
    for event in events {
        scenario.clock = scenario.clock.max(event.effective_at());
        scenario.record(event);
    }
    scenario
}

/// An account that a command opened on day 0 under this catalog.
pub fn opened_under(catalog: Catalog) -> Scenario {
    given([]).under(catalog).when(Command::Account(AccountCommand::OpenAccount))
}

impl Scenario {
    pub fn under(mut self, catalog: Catalog) -> Self {
        self.catalog = catalog;
        self
    }

    pub fn at(mut self, at: Timestamp) -> Self {
        assert!(at >= self.clock, "a scenario's clock goes forward");
        self.clock = at;
        self
    }

    pub fn after(self, time: TimeDelta) -> Self {
        let at = self.clock.plus(time);
        self.at(at)
    }

    pub fn when(mut self, command: Command) -> Self {
        self.send(&command);
        self
    }

    /// Moves nothing but time: what is due is applied.
    pub fn settle(self) -> Self {
        self.when(Command::Account(AccountCommand::ApplyDue))
    }

    pub fn send(&mut self, command: &Command) -> &Result<Vec<Event>, Refusal> {
        let outcome = decide(&self.account, command, Context { at: self.clock, catalog: &self.catalog });
        for event in outcome.iter().flatten() {
            self.record(event.clone());
        }
        self.outcome.insert(outcome)
    }

    fn record(&mut self, event: Event) {
        self.account.apply(&event).unwrap_or_else(|error| panic!("{error}: {event:?}"));
        check(&self.account, self.clock);
        self.history.push(event);
    }

    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = Event>) -> Self {
        let expected: Vec<Event> = expected.into_iter().collect();
        assert_eq!(self.outcome, Some(Ok(expected)));
        self
    }

    /// The command changes nothing, since the account is already as it asks.
    #[track_caller]
    pub fn then_nothing(self) -> Self {
        self.then([])
    }

    /// The names of the decided events, if their contents do not matter.
    #[track_caller]
    pub fn then_named<const N: usize>(self, names: [&str; N]) -> Self {
        let events = self.outcome.as_ref().expect("a command was sent").as_ref();
        let events = events.unwrap_or_else(|refusal| panic!("refused: {refusal:?}"));
        assert_eq!(events.iter().map(Event::name).collect::<Vec<_>>(), names);
        self
    }

    #[track_caller]
    pub fn then_refused(self, refusal: Refusal) -> Self {
        assert_eq!(self.outcome, Some(Err(refusal)));
        self
    }

    #[track_caller]
    pub fn then_accepted(self) -> Self {
        assert!(matches!(self.outcome, Some(Ok(_))), "{:?}", self.outcome);
        self
    }

    #[track_caller]
    pub fn then_available(self, available: i64) -> Self {
        assert_eq!(self.balance().available, credits(available), "{:#?}", self.grants());
        self
    }

    /// For results that depend on how shares of months are rounded.
    #[track_caller]
    pub fn then_available_between(self, least: i64, most: i64) -> Self {
        let available = self.balance().available.get();
        assert!((least..=most).contains(&available), "{available} {:#?}", self.grants());
        self
    }

    #[track_caller]
    pub fn then_balance(self, available: i64, held: i64, debt: i64) -> Self {
        let expected = Balance {
            available: credits(available),
            held: credits(held),
            settled: available + held - debt,
            debt: credits(debt),
        };
        assert_eq!(self.balance(), expected);
        self
    }

    #[track_caller]
    pub fn then_on_plan(self, plan: &str) -> Self {
        assert_eq!(self.open().plan(self.clock, &self.catalog).as_str(), plan);
        self
    }

    #[track_caller]
    pub fn then_grant(self, id: &str, granted: i64, remaining: i64) -> Self {
        let grant = self.grant(id);
        let grant = grant.unwrap_or_else(|| panic!("no grant {id} in {:#?}", self.grants()));
        assert_eq!(
            (grant.terms.amount, grant.remaining),
            (credits(granted), credits(remaining)),
            "granted and remaining of {id}"
        );
        self
    }

    #[track_caller]
    pub fn then_no_grant(self, id: &str) -> Self {
        assert_eq!(self.grant(id), None);
        self
    }

    pub fn outcome(&self) -> &Result<Vec<Event>, Refusal> {
        self.outcome.as_ref().expect("a command was sent")
    }

    pub fn refusal(&self) -> &Refusal {
        self.outcome().as_ref().expect_err("the command should have been refused")
    }

    pub fn balance(&self) -> Balance {
        self.account.balance(self.clock)
    }

    pub fn open(&self) -> &OpenAccount {
        self.account.opened().expect("the account has been opened")
    }

    pub fn grant(&self, id: &str) -> Option<&Grant> {
        self.open().wallet.find(&GrantId::parse(id).expect("a test's grant is an identifier"))
    }

    pub fn grants(&self) -> Vec<&Grant> {
        self.account.opened().into_iter().flat_map(|account| account.wallet.grants()).collect()
    }

    /// Spent and available credits, less debt.
    pub fn gained(&self) -> i64 {
        let spent = self.history.iter().map(|event| match event {
            Event::Credits(CreditsEvent::CreditsDeducted { amount, .. }) => amount.get(),
            Event::Credits(CreditsEvent::CreditsRefunded { amount, .. }) => -amount.get(),
            _ => 0,
        });
        spent.sum::<i64>() + self.balance().settled
    }

    /// A deduction, in the form in which a refund needs it.
    pub fn deduction(&self, id: &str) -> RecordedDeduction {
        self.deduction_read_at(id, self.history.len())
    }

    /// The same, read when the account had so many events.
    pub fn deduction_read_at(&self, id: &str, events: usize) -> RecordedDeduction {
        let id = DeductionId::parse(id).expect("a test's deduction is an identifier");
        let mut deductions = self.history.iter().filter_map(RecordedDeduction::of);
        let found = deductions.find(|deduction| deduction.deduction_id == id);
        let found = found.unwrap_or_else(|| panic!("no deduction {id} in {:#?}", self.history));
        let mut refunds = DeductionRefunds::of(&self.history[..events]).expect("they are numbers");
        let refunded = refunds.remove(&id).unwrap_or_default();
        RecordedDeduction { refunded, refunded_until: events as u64, ..found }
    }

    pub fn refund(self, id: &str, amount: Option<i64>) -> Self {
        let deduction = self.deduction(id);
        self.when(refund(deduction, amount.map(credits), "failed"))
    }
}

/// Checks the laws about a single state.
pub fn check(account: &Account, at: Timestamp) {
    let Some(account) = account.opened() else { return };
    let wallet = &account.wallet;
    let mut held = 0;
    let mut live = 0;
    for grant in wallet.grants() {
        let parts = [grant.consumed, grant.held, grant.expired, grant.voided, grant.remaining];
        assert!(parts.iter().all(|part| part.get() >= 0), "{grant:?}");
        let sum: i64 = parts.iter().map(|part| part.get()).sum();
        assert_eq!(sum, grant.terms.amount.get(), "granted = consumed + held + expired + voided + remaining");
        assert!(grant.is_conserved());
        held += grant.held.get();
        live += if grant.is_live(at) { grant.remaining.get() } else { 0 };
    }
    let mut in_holds = 0;
    let mut returning = 0;
    for hold in wallet.holds.open() {
        in_holds += hold.left().get();
        assert_eq!(hold.draws.iter().map(|draw| draw.amount.get()).sum::<i64>(), hold.left().get());
        assert_eq!(hold.amount.get(), hold.spent.get() + hold.returned.get() + hold.left().get());
        if hold.expires_at <= at {
            let live = |id| wallet.find(id).is_some_and(|grant: &Grant| grant.is_live(at));
            let back = hold.draws.iter().filter(|draw| live(&draw.grant_id));
            returning += back.map(|draw| draw.amount.get()).sum::<i64>();
        }
    }
    assert_eq!(held, in_holds, "what grants hold is what open holds have");
    assert_eq!(wallet.holds.held().get(), in_holds);
    let balance = wallet.balance(at);
    assert_eq!(balance.available.get(), live + returning, "available is what is live now");
    assert_eq!(balance.settled, balance.available.get() + balance.held.get() - balance.debt.get());
}
