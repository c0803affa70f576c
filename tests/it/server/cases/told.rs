//! A case is told to the real program in many ways, each to an account of its own, and ends the same in all of them.

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use chrono::TimeDelta;
use counterfoil::{
    domain::{catalog::Catalog, time::Timestamp},
    stripe::outbound::BillingMode,
};
use serde_json::{Value, json};

use super::{
    documents,
    seen::{Seen, lines, see},
};
use crate::support::{catalogs, dice::tellings, in_process::Program};

/// How many random orders each case is told in.
const SHUFFLES: u64 = 3;

/// An input, and how it is to be told.
pub struct Case {
    events: Vec<Value>,
    catalog: Arc<Catalog>,
    look_at: Timestamp,
    switch: BillingMode,
    close_after_first: bool,
}

/// Tells an input with the catalog of the music platform, and looks a minute after its newest event.
pub async fn lived(input: &str) -> Told {
    case(input).told().await
}

pub fn case(input: &str) -> Case {
    Case::of(documents::events(input))
}

impl Case {
    /// Events that are in no input, of the music platform.
    pub fn of(events: Vec<Value>) -> Self {
        let look_at = documents::after(&events);
        Self {
            events,
            catalog: catalogs::music(),
            look_at,
            switch: BillingMode::NotConfigured,
            close_after_first: false,
        }
    }

    pub fn under(self, catalog: Arc<Catalog>) -> Self {
        Self { catalog, ..self }
    }

    /// Only as far as to so many events.
    pub fn until(mut self, count: usize) -> Self {
        self.events.truncate(count);
        self.look_at = documents::after(&self.events);
        self
    }

    /// Looks so much later.
    pub fn later(self, by: TimeDelta) -> Self {
        Self { look_at: self.look_at.plus(by), ..self }
    }

    pub fn looking_at(self, time: &str) -> Self {
        Self { look_at: Timestamp::parse(time).expect("a time"), ..self }
    }

    /// With somebody to ask for what the events leave out.
    pub fn asking(self, switch: BillingMode) -> Self {
        Self { switch, ..self }
    }

    /// The account is closed when it has heard of the first event.
    pub fn closing_the_account(self) -> Self {
        Self { close_after_first: true, ..self }
    }

    /// Tells it as it happened, while time passes; and then, all at once, in every other way.
    pub async fn told(self) -> Told {
        let first = self.events.iter().map(documents::created).min().expect("there are events");
        let program = Program::selling(first, self.catalog.clone(), self.switch.clone()).await;
        let accounts = documents::accounts(&self.events);
        let mut tellings = vec![self.as_it_happened(&program).await];
        program.set_time(self.look_at);
        for telling in self.tellings() {
            self.tell(&program, &telling).await;
            tellings.push(telling.name);
        }
        program.handled().await;
        let about = accounts.first().expect("an account").clone();
        let mut told =
            Told { program, accounts, about, tellings, seen: BTreeMap::new(), states: BTreeMap::new() };
        told.look().await;
        told
    }

    async fn as_it_happened(&self, program: &Program) -> String {
        let name = "as it happened".to_owned();
        let mut events: Vec<&Value> = self.events.iter().collect();
        events.sort_by_key(|event| documents::created(event));
        for (number, event) in events.into_iter().enumerate() {
            program.set_time(documents::created(event));
            post(program, &documents::renamed(event, &suffix(&name))).await;
            program.handled().await;
            self.close(program, &name, number).await;
        }
        name
    }

    async fn tell(&self, program: &Program, telling: &Telling) {
        for (number, index) in telling.order.iter().enumerate() {
            post(program, &documents::renamed(&self.events[*index], &suffix(&telling.name))).await;
            if self.close_after_first && number == 0 {
                program.handled().await;
            }
            self.close(program, &telling.name, number).await;
        }
    }

    async fn close(&self, program: &Program, telling: &str, number: usize) {
        if !self.close_after_first || number > 0 {
            return;
        }
        for account in documents::accounts(&self.events) {
            let path = format!("/v1/accounts/{account}{}/close", suffix(telling));
            let answer = program.server.post(&path, json!({ "reason": "left" })).send().await;
            assert!(answer.status.is_success(), "{}", answer.text);
        }
    }

    fn tellings(&self) -> Vec<Telling> {
        let all = tellings(self.events.len(), SHUFFLES);
        let all = all.into_iter().map(|(name, order)| Telling { name, order });
        // A case of one event has no order.
        if self.events.len() == 1 { all.step_by(2).take(2).collect() } else { all.collect() }
    }
}

/// In which order the events are posted, as their places in the input.
struct Telling {
    name: String,
    order: Vec<usize>,
}

fn suffix(telling: &str) -> String {
    format!("-{}", telling.replace(' ', "-"))
}

async fn post(program: &Program, event: &Value) {
    let answer = program.post(serde_json::to_vec(event).expect("JSON")).await;
    assert!(answer.is_accepted(), "{}: {} {}", event["id"], answer.status, answer.body);
}

/// What came of it. Each claim is made of every telling; a failure names those that end otherwise.
pub struct Told {
    pub program: Program,
    accounts: Vec<String>,
    /// The account that the next claims are about.
    about: String,
    tellings: Vec<String>,
    seen: BTreeMap<(String, String), Option<Seen>>,
    /// Of each event: its state, and why.
    states: BTreeMap<String, (String, String)>,
}

impl Told {
    /// The next claims are about this account.
    pub fn of(mut self, account: &str) -> Self {
        assert!(self.accounts.iter().any(|known| known == account), "{account} is in {:?}", self.accounts);
        account.clone_into(&mut self.about);
        self
    }

    /// Lets time pass, and looks again.
    pub async fn at(mut self, time: &str) -> Self {
        self.program.set_time(Timestamp::parse(time).expect("a time"));
        self.program.handled().await;
        self.look().await;
        self
    }

    async fn look(&mut self) {
        for account in self.accounts.clone() {
            for telling in self.tellings.clone() {
                let seen = see(&self.program, &format!("{account}{}", suffix(&telling))).await;
                self.seen.insert((account.clone(), telling), seen);
            }
        }
        let listed = self.program.read("/v1/inbox?limit=1000").await;
        for event in listed["events"].as_array().expect("events") {
            let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            self.states.insert(text("event_id"), (text("state"), text("reason")));
        }
    }

    /// The accounts' names of all tellings.
    pub fn names(&self) -> Vec<String> {
        self.tellings.iter().map(|telling| format!("{}{}", self.about, suffix(telling))).collect()
    }

    #[track_caller]
    fn each<T: Debug + PartialEq>(&self, what: &str, look: impl Fn(&Seen) -> T, right: &T) -> &Self {
        let wrong = self.tellings.iter().filter_map(|telling| {
            let seen = self.seen[&(self.about.clone(), telling.clone())].as_ref();
            let got = seen.map(&look);
            (got.as_ref() != Some(right)).then(|| match (got, seen) {
                (Some(got), Some(seen)) => format!("{telling}: {got:?}\n{}", lines(seen)),
                _ => format!("{telling}: there is no such account"),
            })
        });
        let wrong: Vec<String> = wrong.collect();
        let set_aside = self.set_aside(&["dead", "waiting", "received"]);
        assert!(
            wrong.is_empty(),
            "{what} of {} is {right:?}, and was otherwise\n{}\n{}",
            self.about,
            wrong.join("\n"),
            set_aside.join("\n")
        );
        self
    }

    fn set_aside(&self, states: &[&str]) -> Vec<String> {
        let aside = self.states.iter().filter(|(_, (state, _))| states.contains(&state.as_str()));
        aside.map(|(event, (state, reason))| format!("{event} is {state}: {reason}")).collect()
    }

    #[track_caller]
    pub fn credits(&self, right: i64) -> &Self {
        self.each("what can be spent", |seen| seen.available, &right).each("the debt", |seen| seen.debt, &0)
    }

    #[track_caller]
    pub fn plan(&self, right: &str) -> &Self {
        self.each("the plan", |seen| seen.plan.clone(), &right.to_owned())
    }

    #[track_caller]
    pub fn has(&self, feature: &str, right: bool) -> &Self {
        self.each(feature, |seen| seen.features.contains(feature), &right)
    }

    /// The most in a window of the only limit.
    #[track_caller]
    pub fn limit(&self, right: i64) -> &Self {
        self.each("the limit", |seen| seen.limits[0]["max"].as_i64(), &Some(right))
    }

    /// What it brings in a month, in minor units of US dollars.
    #[track_caller]
    pub fn mrr(&self, right: i64) -> &Self {
        self.mrr_in("usd", right)
    }

    #[track_caller]
    pub fn mrr_in(&self, currency: &str, right: i64) -> &Self {
        self.each(&format!("the MRR in {currency}"), |seen| seen.mrr(currency), &right)
    }

    /// The kinds of its movements of MRR, in the order of days.
    #[track_caller]
    pub fn movements(&self, right: &[&str]) -> &Self {
        let kinds = |seen: &Seen| -> Vec<String> {
            seen.movements
                .iter()
                .map(|movement| movement["type"].as_str().expect("text").to_owned())
                .collect()
        };
        self.each("the movements", kinds, &right.iter().map(|kind| (*kind).to_owned()).collect())
    }

    /// What was allocated in grants that begin or are alive at this time, less what was taken back.
    #[track_caller]
    pub fn allocated_at(&self, time: &str, right: i64) -> &Self {
        let at = Timestamp::parse(time).expect("a time");
        self.each(&format!("what is allocated at {time}"), |seen| seen.allocated(at), &right)
    }

    /// That all tellings end as the first one, in totals: balance, plan and MRR.
    #[track_caller]
    pub fn all_equal(&self) -> &Self {
        let first = (self.about.clone(), self.tellings[0].clone());
        let right = self.seen[&first].as_ref().expect("an account").totals();
        self.each("all that counts", Seen::totals, &right)
    }

    /// That no event was set aside that should have counted.
    #[track_caller]
    pub fn all_handled(&self) -> &Self {
        let aside = self.set_aside(&["dead", "waiting", "received", "quarantined"]);
        assert!(aside.is_empty(), "{}", aside.join("\n"));
        self
    }

    /// The state of an event of the input, in every telling.
    #[track_caller]
    pub fn state_of(&self, event: &str, right: &[&str]) -> &Self {
        for telling in &self.tellings {
            let (state, reason) = &self.states[&format!("{event}{}", suffix(telling))];
            assert!(right.contains(&state.as_str()), "{telling}: {event} is {state}: {reason}");
        }
        self
    }

    /// The MRR of all accounts of all tellings together, in minor units of US dollars, today.
    pub async fn assert_mrr_of_each(&self, right: i64) {
        let today = Timestamp::to_utc(self.program.now()).date_naive();
        let mrr = self.program.read(&format!("/v1/analytics/mrr?from={today}&to={today}")).await;
        let series = mrr["series"].as_array().expect("a series").iter();
        let all: i64 = series.map(|one| one["mrr"].as_i64().expect("whole")).sum();
        let tellings = i64::try_from(self.tellings.len()).expect("a few");
        assert_eq!(all, right * tellings, "the MRR of {tellings} tellings: {mrr:#}");
    }
}
