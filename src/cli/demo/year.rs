//! How is the year lived through? The clock goes from one thing that happens to the next, whoever does it: a person,
//! the stand-in for Stripe, or time.
//!
//! Each webhook is processed before the clock goes on, so everything is recorded when it happens, as in a real year.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use serde_json::{Value, json};

use crate::{app::App, clock::Clock, domain::time::Timestamp};

use super::{
    super::{Sandboxed, exit::CliFailure},
    caller::{Answer, DemoCaller},
    customer,
    deeds::{Deed, Demand, Making, Slot},
    people::People,
};

/// How many people buy or change something at the same time.
const PEOPLE_CONCURRENT_MAX: usize = 8;
const DAY_S: i64 = 86_400;
/// How long work takes that was held for, in seconds.
const WORK_S: i64 = 95;
/// What is due at the sandbox within so many seconds happens together.
const TOGETHER_S: i64 = 900;
/// How long webhooks may take to be processed.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(2);

/// What a year is lived with.
pub(super) struct World<'a> {
    pub(super) app: &'a App,
    pub(super) sandbox: &'a Sandboxed,
    pub(super) clock: &'a Clock,
    pub(super) caller: &'a DemoCaller,
    /// When the first day begins, in Unix seconds.
    pub(super) begin_s: i64,
}

/// What was done in the year, and what was refused.
#[derive(Debug, Default)]
pub(super) struct Lived {
    pub(super) requests: u64,
    pub(super) refused: BTreeMap<String, u64>,
    /// By the place of a person: what they wanted to buy, change or end, and could not.
    pub(super) in_vain: BTreeMap<usize, u64>,
}

/// What is done in one slot.
type Done<'a> = Vec<(usize, &'a Deed)>;

impl World<'_> {
    /// Lives through everything, up to the last thing that somebody does.
    ///
    /// # Errors
    /// If something does not answer, or webhooks are not processed.
    pub(super) async fn live(
        &self,
        people: &People,
        demand: &Demand,
        until_s: i64,
        progress: &ProgressBar,
    ) -> Result<Lived, CliFailure> {
        let mut lived = Lived::default();
        let acts = people.acts();
        let mut day = 0;
        for slot in acts.chunk_by(|one, next| one.0 == next.0) {
            let Some((when, ..)) = slot.first() else { continue };
            let at = self.begin_s.saturating_add(demand.second(*when));
            if at.saturating_add(WORK_S) > until_s {
                break;
            }
            if when.day > day {
                self.days_end(day).await?;
                day = when.day;
                progress.set_position(day.into());
            }
            self.pass_until(at).await?;
            let done = slot.iter().map(|(_, person, deed)| (*person, *deed)).collect();
            self.slot(people, *when, done, &mut lived).await?;
        }
        self.pass_until(until_s).await?;
        self.clock.follow_system();
        self.sandbox.running().catch_up();
        self.settled().await?;
        self.caught_up().await?;
        Ok(lived)
    }

    /// Lets everything happen until then that happens by itself.
    async fn pass_until(&self, at: i64) -> Result<(), CliFailure> {
        let sandbox = self.sandbox.running();
        while let Some(due) = sandbox.next_due().filter(|due| *due <= at) {
            self.set(due.saturating_add(TOGETHER_S).min(at));
            sandbox.catch_up();
            self.settled().await?;
        }
        self.set(at);
        Ok(())
    }

    /// What is due to accounts is applied on the day on which it is due.
    async fn days_end(&self, day: u32) -> Result<(), CliFailure> {
        let next = i64::from(day).saturating_add(1).saturating_mul(DAY_S);
        self.pass_until(self.begin_s.saturating_add(next).saturating_sub(1)).await?;
        self.app.scheduler().tick().await.map(drop).map_err(CliFailure::broken)
    }

    fn set(&self, at: i64) {
        if let Some(at) = Timestamp::from_seconds(at).filter(|at| *at > self.clock.now()) {
            self.clock.set(at);
        }
    }

    /// Waits until the read models have everything, so that the first figures that are looked at are of all of it.
    async fn caught_up(&self) -> Result<(), CliFailure> {
        let begin = Instant::now();
        loop {
            let told = self.caller.ask("/v1/projections").await?;
            let models = told.get("projections").and_then(Value::as_array);
            let has_all = |model: &Value| model.get("lag_events").and_then(Value::as_i64) == Some(0);
            if models.is_some_and(|models| models.iter().all(has_all)) {
                return Ok(());
            }
            if begin.elapsed() > PATIENCE {
                return Err(CliFailure::broken("the read models are behind: `/v1/projections` may say why"));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until everything was told and processed that the sandbox has to tell.
    async fn settled(&self) -> Result<(), CliFailure> {
        let begin = Instant::now();
        loop {
            if self.sandbox.running().deliveries_waiting() == 0 {
                let inbox = self.caller.ask("/v1/inbox?state=received&limit=1").await?;
                if inbox.get("events").and_then(Value::as_array).is_some_and(Vec::is_empty) {
                    return Ok(());
                }
            }
            if begin.elapsed() > PATIENCE {
                return Err(CliFailure::broken("webhooks are not processed: `/v1/inbox` may say why"));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Some work, and at the same time others buy or change something.
    async fn slot(
        &self,
        people: &People,
        when: Slot,
        done: Done<'_>,
        lived: &mut Lived,
    ) -> Result<(), CliFailure> {
        let (work, others): (Done<'_>, Done<'_>) =
            done.into_iter().partition(|(_, deed)| matches!(deed, Deed::Make { .. } | Deed::Spend { .. }));
        let (in_vain, made) =
            tokio::try_join!(self.others(people, when, &others), self.work(people, when, &work))?;
        lived.requests = lived.requests.saturating_add(u64::try_from(others.len()).unwrap_or_default());
        for (number, deed) in in_vain {
            lived.refuse(number, deed);
        }
        lived.count(&made.answers);
        if made.after.is_empty() {
            return Ok(());
        }
        self.set(self.clock.now().seconds().saturating_add(WORK_S));
        lived.count(&self.caller.send(&made.after).await?);
        Ok(())
    }

    /// What is not work: each person's one after the other, and several people at the same time. Returns what was
    /// refused.
    async fn others<'d>(&self, people: &People, when: Slot, done: &Done<'d>) -> Result<Done<'d>, CliFailure> {
        if done.is_empty() {
            return Ok(Vec::new());
        }
        let by_person = done.chunk_by(|one, next| one.0 == next.0).map(async |deeds| {
            let mut in_vain = Vec::new();
            for (place, (number, deed)) in deeds.iter().enumerate() {
                let Some(person) = people.0.get(*number) else { continue };
                let key = format!("{}-{}-{place}", when.day, when.part);
                if !customer::does(self.caller, person, deed, &key).await? {
                    in_vain.push((*number, *deed));
                }
            }
            Ok::<_, CliFailure>(in_vain)
        });
        let asked = stream::iter(by_person).buffer_unordered(PEOPLE_CONCURRENT_MAX);
        let in_vain: Vec<Done<'d>> = asked.try_collect().await?;
        self.settled().await?;
        Ok(in_vain.into_iter().flatten().collect())
    }

    /// Work is asked for all at once; what follows a little later, when it is done or has failed, is for the caller.
    async fn work(&self, people: &People, when: Slot, done: &Done<'_>) -> Result<Made, CliFailure> {
        let asked: Vec<(&str, &Deed, String)> = (done.iter().enumerate())
            .filter_map(|(place, (number, deed))| {
                let account = &people.0.get(*number)?.account;
                Some((account.as_ref(), *deed, format!("{account}-{}-{}-{place}", when.day, when.part)))
            })
            .collect();
        let commands: Vec<Value> =
            asked.iter().filter_map(|(account, deed, id)| command(account, deed, id)).collect();
        let answers = self.caller.send(&commands).await?;
        let after = (asked.iter().zip(&answers))
            .filter_map(|((account, deed, id), answer)| afterwards(account, deed, id, answer))
            .collect();
        Ok(Made { answers, after })
    }
}

/// What was answered to work that was asked for, and what follows.
struct Made {
    answers: Vec<Answer>,
    after: Vec<Value>,
}

impl Lived {
    fn refuse(&mut self, number: usize, deed: &Deed) {
        if !customer::may_fail(deed) {
            bump(&mut self.in_vain, number);
        }
        let name = format!("{deed:?}");
        bump(&mut self.refused, name.split([' ', '(']).next().unwrap_or_default().to_lowercase());
    }

    fn count(&mut self, answers: &[Answer]) {
        self.requests = self.requests.saturating_add(u64::try_from(answers.len()).unwrap_or_default());
        for answer in answers.iter().filter(|answer| !answer.is_granted()) {
            let code = answer.body.get("code").and_then(Value::as_str).unwrap_or("unknown");
            bump(&mut self.refused, code.to_owned());
        }
    }
}

fn bump<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(1);
}

/// A piece of work, as the product's backend asks for it.
fn command(account: &str, deed: &Deed, id: &str) -> Option<Value> {
    match deed {
        Deed::Make { work, how } => Some(json!({
            "account": account, "command": "generate", "type": work.kind, "options": work.options,
            "generation_id": id, "hold": matches!(how, Making::Held | Making::Dropped),
        })),
        Deed::Spend { amount } => Some(json!({
            "account": account, "command": "deduct", "amount": amount, "description": "A batch of small work",
            "idempotency_key": id,
        })),
        Deed::Arrive
        | Deed::Subscribe { .. }
        | Deed::Buy { .. }
        | Deed::Change { .. }
        | Deed::Cancel { .. }
        | Deed::UseCard(_)
        | Deed::PayInvoice
        | Deed::GiveBack(_)
        | Deed::Dispute
        | Deed::DecideDispute { .. } => None,
    }
}

/// What follows when the work is done, or has failed.
fn afterwards(account: &str, deed: &Deed, id: &str, answer: &Answer) -> Option<Value> {
    let Deed::Make { how, .. } = deed else { return None };
    let hold = || answer.body.get("hold_id").and_then(Value::as_str);
    if !answer.is_granted() {
        return None;
    }
    let key = format!("after-{id}");
    match how {
        Making::Charged => None,
        Making::Failed => Some(json!({
            "account": account, "command": "refund", "generation_id": id, "reason": "failed", "idempotency_key": key,
        })),
        Making::Held => Some(json!({
            "account": account, "command": "commit", "hold_id": hold()?, "idempotency_key": key,
        })),
        Making::Dropped => Some(json!({
            "account": account, "command": "release", "hold_id": hold()?, "idempotency_key": key,
        })),
    }
}
