//! How would these reports change an account's credits?
//! The rules decide on a copy of the account, so that a preview shows exactly what they would do.

use super::{
    account::Account,
    amount::Credits,
    command::{AccountCommand, Command},
    credits::GrantTerms,
    decide::{Context, decide},
    event::{CreditsEvent, Event},
    refusal::Refusal,
    time::Timestamp,
};

/// An account's credits before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreditPreview {
    pub before: Credits,
    pub after: Credits,
    pub granted: Vec<GrantTerms>,
    /// What is left of the month's allocation and would be taken back.
    pub taken: Credits,
    /// What was taken back before and would be returned.
    pub restored: Credits,
    /// How much debt would be paid first.
    pub paid_of_debt: Credits,
    /// The debt afterwards.
    pub debt_after: Credits,
}

/// Decides on `commands`, one after the other, without recording anything.
/// What is due because time passed is applied first, and is not a part of the preview.
///
/// # Errors
/// If one of them would be refused.
pub fn preview(
    account: &Account,
    commands: &[Command],
    context: Context<'_>,
) -> Result<CreditPreview, Refusal> {
    let mut account = account.clone().settled_at(context)?;
    let mut foresight =
        CreditPreview { before: account.balance(context.at).available, ..CreditPreview::default() };
    foresight.live(&mut account, commands, context)?;
    Ok(foresight)
}

/// What `later` would do after `commands`, including what is due because time passes until then.
///
/// # Errors
/// If one of them would be refused.
pub fn foresee_later(
    account: &Account,
    commands: &[Command],
    context: Context<'_>,
    later: Command,
    later_at: Timestamp,
) -> Result<CreditPreview, Refusal> {
    let mut account = account.clone();
    CreditPreview::default().live(&mut account, commands, context)?;
    let mut foresight =
        CreditPreview { before: account.balance(context.at).available, ..CreditPreview::default() };
    let context = Context { at: later_at.max(context.at), ..context };
    foresight.live(&mut account, &[Command::Account(AccountCommand::ApplyDue), later], context)?;
    Ok(foresight)
}

fn step(account: &mut Account, command: &Command, context: Context<'_>) -> Result<Vec<Event>, Refusal> {
    let events = decide(account, command, context)?;
    for event in &events {
        // The rules only write valid events, so one that cannot be applied has a sum that is too large.
        account.apply(event).map_err(|_| Refusal::AmountTooLarge)?;
    }
    Ok(events)
}

impl CreditPreview {
    fn live(
        &mut self,
        account: &mut Account,
        commands: &[Command],
        context: Context<'_>,
    ) -> Result<(), Refusal> {
        for command in commands {
            for event in step(account, command, context)? {
                self.note(event);
            }
        }
        let balance = account.balance(context.at);
        (self.after, self.debt_after) = (balance.available, balance.debt);
        Ok(())
    }

    fn note(&mut self, event: Event) {
        if let Event::Credits(CreditsEvent::CreditsAdjusted { amount, .. }) = &event {
            self.taken = self.taken.checked_add(*amount).unwrap_or(Credits::MAX);
        }
        if let Event::Credits(CreditsEvent::CreditsClawedBack { voided, .. }) = &event {
            self.taken = self.taken.checked_add(*voided).unwrap_or(Credits::MAX);
        }
        if let Event::Credits(CreditsEvent::CreditsRestored { restored, .. }) = &event {
            self.restored = self.restored.checked_add(*restored).unwrap_or(Credits::MAX);
        }
        if let Event::Credits(CreditsEvent::DebtPaid { amount, .. }) = &event {
            self.paid_of_debt = self.paid_of_debt.checked_add(*amount).unwrap_or(Credits::MAX);
        }
        if let Event::Credits(CreditsEvent::CreditsGranted { grant, .. }) = event {
            self.granted.push(grant);
        }
    }
}
