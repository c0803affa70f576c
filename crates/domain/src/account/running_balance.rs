//! What does an account hold after each of many events?

use super::Account;
use crate::{
    credits::Balance,
    event::{CreditsEvent, Event, HoldEvent},
    time::Timestamp,
};

/// What an account holds after each event, at the time of the decision and at the latest effective time so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunningBalances {
    now: RunningBalance,
    then: RunningBalance,
}

/// The balance after the last event, with the time at which it was computed.
#[derive(Clone, Copy, Debug, Default)]
struct RunningBalance(Option<(Timestamp, Balance)>);

impl RunningBalances {
    /// Returns the balance at `at` after `event`, and the balance at the latest effective time if that is earlier.
    /// `account` already has the event. Each event must be passed, in order.
    pub fn after(&mut self, event: &Event, account: &Account, at: Timestamp) -> (Balance, Option<Balance>) {
        let balance = self.now.after(event, account, at);
        let told = account.opened().map(|account| account.told_until).filter(|told| *told < at);
        (balance, told.map(|told| self.then.after(event, account, told)))
    }
}

impl RunningBalance {
    /// Thousands of holds may end together, and computing a balance goes through all of them.
    /// An event that only records an end which the clock has already counted leaves the balance as it was.
    fn after(&mut self, event: &Event, account: &Account, at: Timestamp) -> Balance {
        let before = self.0.filter(|(then, _)| *then == at).map(|(_, balance)| balance);
        let balance = before.and_then(|before| noted(before, event)).unwrap_or_else(|| account.balance(at));
        self.0 = Some((at, balance));
        balance
    }
}

/// The balance after an event whose effect on it is known without computing it. `None`: it must be computed.
fn noted(before: Balance, event: &Event) -> Option<Balance> {
    if let Event::Credits(CreditsEvent::DebtPaid { amount, .. }) = event {
        let available = before.available.checked_sub(*amount)?;
        return Some(Balance::new(available, before.held, before.debt.checked_sub(*amount)?));
    }
    matches!(
        event,
        Event::Hold(HoldEvent::HoldExpired { .. }) | Event::Credits(CreditsEvent::CreditsExpired { .. })
    )
    .then_some(before)
}
