//! An account that lives: moves at Stripe, spending, holds and waiting, one after the other, each told when it happens.

use std::sync::Arc;

use counterfoil::domain::{
    amount::Credits,
    catalog::Catalog,
    command::{AccountCommand, Command, CreditsCommand, HoldFor, RecordedDeduction},
    event::{CreditsEvent, Event, HoldEvent},
    ids::{AccountId, HoldId},
    time::Timestamp,
};

use serde_json::Value;

use super::{
    books::Books,
    story::{Back, DAY, Plan, Story, Terms, monthly, yearly},
};
use crate::{builders::words::refund, support::dice::Dice};

/// The longest hold that there is, in seconds.
const HOLD_S: u32 = 86_400;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Subscribe(Terms),
    /// Billed at once.
    Change(Terms),
    /// By report alone: a downgrade with `none`.
    ChangeUnbilled(Terms),
    /// The interval becomes the other one.
    Interval,
    Seats(u32),
    CancelNow,
    CancelNowProrated,
    GiveBack(Back, bool),
    SpendAll,
    SpendHalf,
    /// The newest deduction comes back.
    RefundWork,
    HoldAll,
    /// Half of what is held is spent, and the rest stays held.
    SpendHeld,
    /// Half of what is held comes back, and the rest stays held.
    ReturnHeld,
    Release,
    Commit,
    WaitDays(i64),
    /// To the end of the period and an hour on: it is paid again, if it goes on.
    WaitForRenewal,
}

pub const MOVES: [Move; 27] = [
    Move::Subscribe(monthly(Plan::Basic)),
    Move::Subscribe(monthly(Plan::Team)),
    Move::Subscribe(yearly(Plan::Creator)),
    Move::Change(monthly(Plan::Basic)),
    Move::Change(monthly(Plan::Creator)),
    Move::Change(monthly(Plan::Team)),
    Move::ChangeUnbilled(monthly(Plan::Basic)),
    Move::Interval,
    Move::Seats(1),
    Move::Seats(4),
    Move::CancelNow,
    Move::CancelNowProrated,
    Move::GiveBack(Back::Refund, true),
    Move::GiveBack(Back::Refund, false),
    Move::GiveBack(Back::CreditNote, true),
    Move::GiveBack(Back::DisputeLost, true),
    Move::SpendAll,
    Move::SpendHalf,
    Move::RefundWork,
    Move::HoldAll,
    Move::SpendHeld,
    Move::ReturnHeld,
    Move::Release,
    Move::Commit,
    Move::WaitDays(3),
    Move::WaitDays(11),
    Move::WaitForRenewal,
];

#[derive(Clone)]
pub struct Life {
    pub story: Story,
    pub books: Books,
    id: AccountId,
    told: usize,
    holds: Vec<HoldId>,
    deductions: Vec<RecordedDeduction>,
    /// All that was spent and did not come back.
    pub spent: i64,
    /// By chance, what Stripe tells comes later, in any order, and twice.
    late: Option<Dice>,
    /// What has happened and was not told yet.
    untold: Vec<Value>,
}

impl Life {
    pub fn begin(catalog: &Arc<Catalog>, free: i64) -> Self {
        let mut life = Self {
            story: Story::of("eve", free),
            books: Books::new(Arc::clone(catalog)),
            id: AccountId::parse("eve").expect("an id"),
            told: 0,
            holds: Vec::new(),
            deductions: Vec::new(),
            spent: 0,
            late: None,
            untold: Vec::new(),
        };
        life.command(&Command::Account(AccountCommand::OpenAccount));
        life
    }

    /// The same, where webhooks are late.
    pub fn late(self, seed: u64) -> Self {
        Self { late: Some(Dice::loaded(seed)), ..self }
    }

    /// Everything that was not told yet is told.
    pub fn hear_the_rest(&mut self) {
        let at = self.at();
        let mut untold = std::mem::take(&mut self.untold);
        if let Some(dice) = &mut self.late {
            dice.shuffle(&mut untold);
        }
        untold.iter().for_each(|event| self.books.deliver(event, at));
        self.books.settle(at);
    }

    /// Tells some of what was not told yet; each comes twice.
    fn hear_some(&mut self) {
        let at = self.at();
        let Some(dice) = &mut self.late else { return };
        dice.shuffle(&mut self.untold);
        let some = dice.below(self.untold.len() + 1);
        let told: Vec<Value> = self.untold.drain(..some).collect();
        for event in &told {
            self.books.deliver(event, at);
            if dice.below(2) == 0 {
                self.untold.push(event.clone());
            }
        }
    }

    pub fn at(&self) -> Timestamp {
        Timestamp::from_seconds(self.story.now).expect("a time")
    }

    fn command(&mut self, command: &Command) -> Vec<Event> {
        let at = self.at();
        self.books.command(&self.id, command, at).unwrap_or_default()
    }

    /// Does it, if it can be done now; else nothing happens.
    pub fn play(&mut self, chosen: Move) {
        match chosen {
            Move::SpendAll => self.spend(1),
            Move::SpendHalf => self.spend(2),
            Move::RefundWork => self.refund_work(),
            Move::HoldAll => self.hold(),
            Move::SpendHeld => self.spend_held(),
            Move::ReturnHeld => self.return_held(),
            Move::Release => self.release(),
            Move::Commit => self.commit(),
            _ => self.at_stripe(chosen),
        }
        let at = self.at();
        self.books.settle(at);
    }

    fn at_stripe(&mut self, chosen: Move) {
        // A second later: what happens in one second has no order that anybody could know.
        let story = self.story.clone().after(1);
        let active = story.is_active();
        let moved = match chosen {
            Move::Subscribe(terms) if !active => story.subscribe(terms),
            Move::Change(terms) if story.may_change() && differs(story.terms(), terms) => story.change(terms),
            Move::ChangeUnbilled(terms)
                if story.may_change()
                    && terms.every == story.terms().every
                    && terms.credits() < story.terms().credits() =>
            {
                story.change_unbilled(terms).left_alone()
            }
            Move::Interval if story.may_change() => {
                let other = story.terms().other_interval();
                story.change(other)
            }
            Move::Seats(seats) if story.may_change() && story.terms().seats != seats => {
                let terms = story.terms().seats(seats);
                story.change(terms)
            }
            Move::CancelNow if active => story.cancel_now(false),
            Move::CancelNowProrated if story.may_change() => story.cancel_now(true),
            Move::GiveBack(how, whole)
                if active && story.may_give_back() && story.now + DAY < story.period_end() =>
            {
                story.give_back(how, if whole { (1, 1) } else { (1, 2) })
            }
            Move::WaitDays(days) => {
                let to = story.now + days * DAY;
                if active && to >= story.period_end() { story.renew() } else { story.after(days * DAY) }
            }
            Move::WaitForRenewal if active => story.renew(),
            _ => story,
        };
        self.story = moved;
        if self.late.is_some() {
            self.untold.extend_from_slice(&self.story.events[self.told..]);
            self.told = self.story.events.len();
            return self.hear_some();
        }
        for event in &self.story.events[self.told..] {
            let at = Timestamp::from_seconds(event["created"].as_i64().expect("seconds")).expect("a time");
            self.books.deliver(event, at);
        }
        self.told = self.story.events.len();
    }

    fn available(&self) -> i64 {
        self.books.balance("eve", self.at()).available.get()
    }

    fn spend(&mut self, part: i64) {
        let Some(amount) = Credits::new(self.available() / part).filter(|amount| !amount.is_zero()) else {
            return;
        };
        for event in self.command(&Command::Credits(CreditsCommand::DeductCredits {
            amount,
            id: None,
            description: None,
        })) {
            self.note_spent(&event);
        }
    }

    fn note_spent(&mut self, event: &Event) {
        if let Some(deduction) = RecordedDeduction::of(event) {
            self.spent += deduction.amount.get();
            self.deductions.push(deduction);
        }
    }

    fn refund_work(&mut self) {
        let Some(deduction) = self.deductions.pop() else { return };
        let command = refund(deduction, None, "failed");
        for event in self.command(&command) {
            if let Event::Credits(CreditsEvent::CreditsRefunded { amount, .. }) = event {
                self.spent -= amount.get();
            }
        }
    }

    fn hold(&mut self) {
        let Some(amount) = Credits::new(self.available()).filter(|amount| !amount.is_zero()) else { return };
        let what = HoldFor::Amount { amount, id: None, description: None };
        for event in
            self.command(&Command::Credits(CreditsCommand::HoldCredits { what, expires_in_s: Some(HOLD_S) }))
        {
            if let Event::Hold(HoldEvent::CreditsHeld { hold_id, .. }) = event {
                self.holds.push(hold_id);
            }
        }
    }

    /// The newest hold, with half of what is left of it.
    fn half_of_held(&self) -> Option<(HoldId, Credits)> {
        let account = self.books.account("eve").opened().expect("it was opened");
        let hold = account.wallet.holds.find(self.holds.last()?)?;
        let half = Credits::new(hold.left().get() / 2).filter(|half| !half.is_zero());
        Some((hold.hold_id.clone(), half?))
    }

    fn spend_held(&mut self) {
        let Some((hold_id, amount)) = self.half_of_held() else { return };
        let command = CreditsCommand::SpendHold { hold_id, amount, id: None, description: None };
        for event in self.command(&Command::Credits(command)) {
            self.note_spent(&event);
        }
    }

    fn return_held(&mut self) {
        if let Some((hold_id, amount)) = self.half_of_held() {
            let amount = Some(amount);
            self.command(&Command::Credits(CreditsCommand::ReleaseHold { hold_id, amount }));
        }
    }

    fn release(&mut self) {
        if let Some(hold_id) = self.holds.pop() {
            self.command(&Command::Credits(CreditsCommand::ReleaseHold { hold_id, amount: None }));
        }
    }

    fn commit(&mut self) {
        let Some(hold_id) = self.holds.pop() else { return };
        let command = Command::Credits(CreditsCommand::CommitHold {
            hold_id,
            amount: None,
            excess: counterfoil::domain::command::Excess::Reject,
        });
        for event in self.command(&command) {
            if let Event::Hold(HoldEvent::HoldCommitted { amount, .. }) = event {
                self.spent += amount.get();
            }
        }
    }

    /// What the account has had of what it was given: spent, or still there, less what it owes.
    pub fn had(&self) -> i64 {
        let balance = self.books.balance("eve", self.at());
        self.spent + balance.available.get() + balance.held.get() - balance.debt.get()
    }

    /// What ended unused.
    pub fn expired(&self) -> i64 {
        let account = self.books.account("eve").opened().expect("it was opened");
        account.wallet.grants().map(|grant| grant.expired.get()).sum()
    }
}

fn differs(from: Terms, to: Terms) -> bool {
    from.plan != to.plan || from.seats != to.seats
}
