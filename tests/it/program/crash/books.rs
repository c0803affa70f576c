//! What was asked, and what was answered. Kept beside the ledger, to be compared with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::sync::watch;

/// One command under its own key.
#[derive(Clone, Debug)]
pub struct Command {
    pub account: String,
    pub kind: Kind,
    pub key: String,
    /// What its own route takes.
    pub fields: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Deduct,
    Generate,
    Hold,
    Commit { hold: String },
    Release { hold: String },
    Spend { hold: String },
    TopUp { hold: String },
    Refund,
    Grant,
}

/// What was answered, and is final: done or refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub replayed: bool,
    pub body: Value,
}

/// What an account holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    pub available: i64,
    pub held: i64,
}

/// All that was sent.
#[derive(Debug)]
pub struct Books {
    entries: Mutex<Vec<(Arc<Command>, Option<Answer>)>>,
    answers: watch::Sender<usize>,
}

impl Command {
    /// Its own route.
    pub fn path(&self) -> String {
        let account = &self.account;
        match &self.kind {
            Kind::Deduct => format!("/v1/accounts/{account}/deductions"),
            Kind::Generate => format!("/v1/accounts/{account}/generations"),
            Kind::Hold => format!("/v1/accounts/{account}/holds"),
            Kind::Commit { hold } => format!("/v1/accounts/{account}/holds/{hold}/commit"),
            Kind::Spend { hold } => format!("/v1/accounts/{account}/holds/{hold}/spend"),
            Kind::TopUp { hold } => format!("/v1/accounts/{account}/holds/{hold}/top-up"),
            Kind::Release { hold } => format!("/v1/accounts/{account}/holds/{hold}/release"),
            Kind::Refund => format!("/v1/accounts/{account}/refunds"),
            Kind::Grant => format!("/v1/accounts/{account}/grants"),
        }
    }

    /// The same command as a part of a batch.
    pub fn item(&self) -> Value {
        let mut item = self.fields.clone();
        let (name, hold) = match &self.kind {
            Kind::Deduct => ("deduct", None),
            Kind::Generate => ("generate", None),
            Kind::Hold => ("hold", None),
            Kind::Commit { hold } => ("commit", Some(hold)),
            Kind::Release { hold } => ("release", Some(hold)),
            Kind::Spend { hold } => ("spend", Some(hold)),
            Kind::TopUp { hold } => ("top_up", Some(hold)),
            Kind::Refund => ("refund", None),
            Kind::Grant => ("grant", None),
        };
        item["command"] = json!(name);
        item["account"] = json!(self.account);
        item["idempotency_key"] = json!(self.key);
        if let Some(hold) = hold {
            item["hold_id"] = json!(hold);
        }
        item
    }

    /// What it did to its account, as its answer says.
    fn effect(&self, body: &Value) -> Holding {
        let amount = body["amount"].as_i64().unwrap_or_default();
        let returns = body["returns"].as_array().into_iter().flatten();
        let returned = returns.map(|part| part["amount"].as_i64().expect("an amount")).sum::<i64>();
        match &self.kind {
            Kind::Deduct | Kind::Generate => Holding { available: -amount, held: 0 },
            Kind::Hold | Kind::TopUp { .. } => Holding { available: -amount, held: amount },
            Kind::Commit { .. } => Holding { available: returned, held: -amount - returned },
            Kind::Release { .. } => Holding { available: returned, held: -returned },
            Kind::Spend { .. } => Holding { available: 0, held: -amount },
            Kind::Refund | Kind::Grant => Holding { available: amount, held: 0 },
        }
    }
}

impl Answer {
    pub fn is_done(&self) -> bool {
        self.status < 300
    }
}

impl Default for Books {
    fn default() -> Self {
        Self { entries: Mutex::default(), answers: watch::Sender::new(0) }
    }
}

impl Books {
    /// Writes down what came of a command. No answer: nobody knows what became of it.
    pub fn enter(&self, command: &Arc<Command>, answer: Option<Answer>) {
        let answered = answer.is_some();
        self.entries.lock().unwrap().push((Arc::clone(command), answer));
        if answered {
            self.answers.send_modify(|answers| *answers += 1);
        }
    }

    /// Counts the answers.
    pub fn answers(&self) -> watch::Receiver<usize> {
        self.answers.subscribe()
    }

    /// How many commands were entered.
    pub fn length(&self) -> usize {
        self.entries.lock().unwrap().len()
    }

    /// Takes out what nobody knows the end of.
    pub fn take_unanswered(&self) -> Vec<Arc<Command>> {
        let mut entries = self.entries.lock().unwrap();
        let unanswered = entries.extract_if(.., |(_, answer)| answer.is_none());
        unanswered.map(|(command, _)| command).collect()
    }

    /// The commands that were done, from the one with this number on.
    pub fn done_since(&self, number: usize) -> Vec<(Arc<Command>, Answer)> {
        let entries = self.entries.lock().unwrap();
        let entries = entries.iter().skip(number);
        let done = entries.filter_map(|(command, answer)| Some((Arc::clone(command), answer.clone()?)));
        done.filter(|(_, answer)| answer.is_done()).collect()
    }

    /// The account and key of each command that was done.
    pub fn keys(&self) -> BTreeSet<(String, String)> {
        let done = self.done_since(0).into_iter();
        done.map(|(command, _)| (command.account.clone(), command.key.clone())).collect()
    }

    /// What each account must hold, if it held `before` at first.
    pub fn holdings(&self, accounts: &[String], before: Holding) -> BTreeMap<String, Holding> {
        let mut holdings: BTreeMap<_, _> = accounts.iter().map(|id| (id.clone(), before)).collect();
        for (command, answer) in self.done_since(0) {
            let effect = command.effect(&answer.body);
            let holding = holdings.get_mut(&command.account).expect("an account of ours");
            holding.available += effect.available;
            holding.held += effect.held;
        }
        holdings
    }

    /// How many commands were done and refused.
    pub fn summary(&self) -> String {
        let entries = self.entries.lock().unwrap();
        let answers = entries.iter().filter_map(|(_, answer)| answer.as_ref());
        let (done, refused): (Vec<_>, Vec<_>) = answers.partition(|answer| answer.is_done());
        format!("{} done, {} refused", done.len(), refused.len())
    }
}
