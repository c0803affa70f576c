//! What has been decided so far? The events of a decision, and the account after them.

use std::borrow::Cow;

use crate::{
    account::OpenAccount,
    amount::Credits,
    event::{AccountEvent, Event},
    ids::{DeductionId, GrantId, HoldId, InvalidIdentifier},
    moving::MovedIn,
    refusal::Refusal,
    time::Timestamp,
};

use super::Context;

pub(super) struct DecisionDraft<'a> {
    pub(super) context: Context<'a>,
    /// Copied only when a later event of the decision depends on an earlier one.
    pub(super) account: Cow<'a, OpenAccount>,
    /// The time that is decided for: for something due its own time, however late it is noticed, else now.
    pub(super) moment: Timestamp,
    /// A closed account gets no credits. What it has still ends, and reports on its subscriptions are recorded.
    pub(super) is_closed: bool,
    events: Vec<Event>,
}

impl<'a> DecisionDraft<'a> {
    /// For an account that this decision opens.
    pub(super) fn open(context: Context<'a>) -> Result<Self, Refusal> {
        let mut draft = Self::opened(context, None);
        draft.grant_on_opening()?;
        Ok(draft)
    }

    /// For an account that this decision opens, with what it had elsewhere and no credits of the free plan.
    pub(super) fn opened(context: Context<'a>, moved_in: Option<MovedIn>) -> Self {
        let plan = context.catalog.free_plan.clone();
        let account = OpenAccount::opened(plan.clone(), moved_in.as_ref(), context.at);
        let opened = Event::Account(AccountEvent::AccountOpened { plan, moved_in, effective_at: context.at });
        Self {
            context,
            account: Cow::Owned(account),
            moment: context.at,
            is_closed: false,
            events: vec![opened],
        }
    }

    /// For an open account. What is due because time passed is applied first.
    pub(super) fn of(account: &'a OpenAccount, context: Context<'a>) -> Result<Self, Refusal> {
        let mut draft = Self {
            context,
            account: Cow::Borrowed(account),
            moment: context.at,
            is_closed: false,
            events: Vec::new(),
        };
        draft.apply_due()?;
        Ok(draft)
    }

    /// For a report on a closed account. What has ended by now is recorded first.
    pub(super) fn of_closed(account: &'a OpenAccount, context: Context<'a>) -> Result<Self, Refusal> {
        let mut draft = Self {
            context,
            account: Cow::Borrowed(account),
            moment: context.at,
            is_closed: true,
            events: Vec::new(),
        };
        draft.apply_due()?;
        Ok(draft)
    }

    /// Adds an event that later ones of this decision depend on.
    pub(super) fn record(&mut self, event: Event) -> Result<(), Refusal> {
        // The rules only write valid events, so one that cannot be applied has a sum that is too large.
        self.account.to_mut().apply(&event).map_err(|_| Refusal::AmountTooLarge)?;
        self.events.push(event);
        Ok(())
    }

    /// Adds the decision's last event, on which nothing in it depends.
    pub(super) fn record_last(&mut self, event: Event) {
        self.events.push(event);
    }

    /// The account after the decision.
    pub(super) fn into_account(self) -> Cow<'a, OpenAccount> {
        self.account
    }

    pub(super) fn finish(self) -> Vec<Event> {
        self.events
    }

    /// The id of what the next event creates. It is unique because the event's sequence is.
    pub(super) fn next_deduction_id(&self) -> Result<DeductionId, Refusal> {
        self.next_id("ded", DeductionId::parse)
    }

    pub(super) fn next_hold_id(&self) -> Result<HoldId, Refusal> {
        self.next_id("hold", HoldId::parse)
    }

    pub(super) fn next_grant_id(&self, prefix: &str) -> Result<GrantId, Refusal> {
        self.next_id(prefix, GrantId::parse)
    }

    fn next_id<T>(
        &self,
        prefix: &str,
        parse: impl FnOnce(&str) -> Result<T, InvalidIdentifier>,
    ) -> Result<T, Refusal> {
        let number = self.account.version.saturating_add(1);
        parse(&format!("{prefix}_{number}")).map_err(|_| Refusal::AmountTooLarge)
    }

    /// The sum of available and held credits must fit into an amount, since a hold may be released.
    pub(super) fn check_room_for(&self, amount: Credits) -> Result<(), Refusal> {
        let wallet = &self.account.wallet;
        let all = wallet.open().iter().map(|grant| grant.remaining).chain([wallet.holds.held(), amount]);
        Credits::checked_sum(all).map(|_| ()).ok_or(Refusal::AmountTooLarge)
    }
}
