//! Events and commands about the credits of an account.

use domain::{
    amount::Credits,
    command::{Command, CreditsCommand, Excess, Generation, GrantCredits, HoldFor, RecordedDeduction, Spent},
    credits::{GrantTerms, PRIORITY_DEFAULT, Source},
    event::{AccountEvent, BURN_ORDER, CreditsEvent, Draw, Event, Purpose},
    ids::{DeductionId, GenerationId, GenerationType, OptionName},
    time::Timestamp,
};

use super::super::catalog::{credits, plan_id};
use super::{day, grant_id, hold_id};

pub fn opened() -> Event {
    Event::Account(AccountEvent::AccountOpened {
        plan: plan_id("free"),
        moved_in: None,
        effective_at: day(0),
    })
}

/// A free grant with an end, from day 0.
pub fn granted(id: &str, amount: i64, expires_at: Timestamp) -> Event {
    granted_as(GrantTerms { expires_at: Some(expires_at), ..bonus(id, amount) })
}

pub fn granted_forever(id: &str, amount: i64) -> Event {
    granted_as(bonus(id, amount))
}

pub fn granted_as(grant: GrantTerms) -> Event {
    Event::Credits(CreditsEvent::CreditsGranted { grant, purpose: None, effective_at: day(0) })
}

pub fn bonus(id: &str, amount: i64) -> GrantTerms {
    GrantTerms {
        grant_id: grant_id(id),
        source: Source::Bonus,
        amount: credits(amount),
        starts_at: day(0),
        expires_at: None,
        priority: PRIORITY_DEFAULT,
        cost: None,
        payment: None,
        slot: None,
        reason: None,
    }
}

pub fn draw(id: &str, amount: i64) -> Draw {
    Draw { grant_id: grant_id(id), amount: credits(amount) }
}

/// A deduction that is the account's event with this number.
pub fn deducted(number: u64, amount: i64, draws: impl Into<Vec<Draw>>, at: Timestamp) -> Event {
    Event::Credits(CreditsEvent::CreditsDeducted {
        deduction_id: DeductionId::parse(&format!("ded_{number}")).expect("it is an identifier"),
        amount: credits(amount),
        draws: draws.into(),
        order: BURN_ORDER.into(),
        purpose: Purpose::Named { id: None, description: None },
        windows: Vec::new(),
        effective_at: at,
    })
}

pub fn expired(id: &str, amount: i64, at: Timestamp) -> Event {
    Event::Credits(CreditsEvent::CreditsExpired {
        grant_id: grant_id(id),
        amount: credits(amount),
        effective_at: at,
    })
}

pub fn deduct(amount: i64) -> Command {
    Command::Credits(CreditsCommand::DeductCredits { amount: credits(amount), id: None, description: None })
}

pub fn refund(deduction: RecordedDeduction, amount: Option<Credits>, reason: &str) -> Command {
    let of = Spent::Deduction(deduction.deduction_id.clone());
    Command::Credits(CreditsCommand::RefundDeductions {
        of,
        deductions: vec![deduction],
        amount,
        reason: reason.to_owned(),
    })
}

pub fn generation(kind: &str, options: &[(&str, &str)]) -> Generation {
    let option = |name: &str| OptionName::parse(name).expect("a test's option is an identifier");
    Generation {
        kind: GenerationType::parse(kind).expect("a test's type is an identifier"),
        options: options.iter().map(|(name, value)| (option(name), option(value))).collect(),
        id: None,
    }
}

pub fn generate(kind: &str) -> Command {
    Command::Credits(CreditsCommand::Generate(generation(kind, &[])))
}

pub fn generate_as(kind: &str, id: &str) -> Command {
    let id = GenerationId::parse(id).expect("a test's generation is an identifier");
    Command::Credits(CreditsCommand::Generate(Generation { id: Some(id), ..generation(kind, &[]) }))
}

pub fn hold(amount: i64) -> Command {
    let what = HoldFor::Amount { amount: credits(amount), id: None, description: None };
    Command::Credits(CreditsCommand::HoldCredits { what, expires_in_s: None })
}

pub fn hold_for(amount: i64, expires_in_s: u32) -> Command {
    let what = HoldFor::Amount { amount: credits(amount), id: None, description: None };
    Command::Credits(CreditsCommand::HoldCredits { what, expires_in_s: Some(expires_in_s) })
}

pub fn commit(id: &str, amount: Option<i64>, excess: Excess) -> Command {
    Command::Credits(CreditsCommand::CommitHold { hold_id: hold_id(id), amount: amount.map(credits), excess })
}

pub fn release(id: &str) -> Command {
    Command::Credits(CreditsCommand::ReleaseHold { hold_id: hold_id(id), amount: None })
}

/// Returns a part of a hold.
pub fn reduce(id: &str, amount: i64) -> Command {
    let amount = Some(credits(amount));
    Command::Credits(CreditsCommand::ReleaseHold { hold_id: hold_id(id), amount })
}

/// Spends a part of a hold.
pub fn spend(id: &str, amount: i64) -> Command {
    spend_on(id, amount, None)
}

pub fn spend_on(id: &str, amount: i64, generation: Option<&str>) -> Command {
    Command::Credits(CreditsCommand::SpendHold {
        hold_id: hold_id(id),
        amount: credits(amount),
        id: generation.map(|id| GenerationId::parse(id).expect("a test's generation is an identifier")),
        description: None,
    })
}

pub fn top_up(id: &str, amount: i64, expires_in_s: Option<u32>) -> Command {
    let (hold_id, amount) = (hold_id(id), credits(amount));
    Command::Credits(CreditsCommand::TopUpHold { hold_id, amount, expires_in_s })
}

pub fn extend(id: &str, expires_in_s: u32) -> Command {
    Command::Credits(CreditsCommand::ExtendHold { hold_id: hold_id(id), expires_in_s })
}

pub fn grant(id: &str, amount: i64, expires_at: Option<Timestamp>) -> Command {
    Command::Credits(CreditsCommand::GrantCredits(GrantCredits {
        grant_id: grant_id(id),
        source: Source::Bonus,
        amount: credits(amount),
        starts_at: None,
        expires_at,
        priority: None,
        cost: None,
        reason: "thanks".to_owned(),
    }))
}
