//! Which commands does an event have, and for which accounts?

use super::reading::Translated;
use crate::{
    domain::{
        command::{Command, CustomerCommand, PaymentCommand},
        ids::AccountId,
    },
    stripe::{
        inbound::{
            accounts::{AccountLookup, NewReport, NotFound},
            discounts::CouponReport,
            disposition::Disposition,
            inbox::claim::ClaimedEvent,
        },
        translate::{Instructions, SetAside, SubscriptionRef, TranslationStep},
    },
};

/// An event with its account, or with a result that needs no command.
pub(super) struct RoutedEvent {
    pub(super) due: ClaimedEvent,
    pub(super) todo: Result<RoutedReport, Disposition>,
    pub(super) coupons: Vec<CouponReport>,
    pub(super) note: Option<String>,
}

/// The commands of an event.
pub(super) struct RoutedReport {
    pub(super) account: AccountId,
    pub(super) steps: Vec<TranslationStep>,
    /// Commands for accounts that had the subscription before, or that are linked to the same customer.
    pub(super) elsewhere: Vec<(AccountId, TranslationStep)>,
    pub(super) report: Option<NewReport>,
}

pub(super) fn plan(event: Translated, known: &mut AccountLookup) -> RoutedEvent {
    let Translated { due, translation, coupons, note } = event;
    let todo = translation.map_err(|aside| set_aside(aside, known));
    let todo = todo.and_then(|instructions| tell(&due, instructions, known));
    RoutedEvent { due, todo, coupons, note }
}

/// The result of an event without commands. One that needs review only if it is an account's may be nobody's.
fn set_aside(aside: SetAside, known: &AccountLookup) -> Disposition {
    let SetAside::NeedsReviewIfOurs { owner, because } = aside else { return Disposition::of(&aside) };
    let instructions = Instructions { owner, about: None, steps: Vec::new() };
    match known.account_of(&instructions) {
        Ok(_) => Disposition::Dead(because),
        Err(_) => Disposition::LaterIfAtAll(because),
    }
}

/// Finds the account of the event, and leaves out links that exist.
/// A new link counts for the next events, which would otherwise make it again.
pub(super) fn tell(
    due: &ClaimedEvent,
    instructions: Instructions,
    known: &mut AccountLookup,
) -> Result<RoutedReport, Disposition> {
    let account = known.account_of(&instructions).map_err(|error| match error {
        NotFound::Yet(because) if instructions.steps.iter().all(|step| may_be_strange(&step.command)) => {
            Disposition::LaterIfAtAll(because.to_owned())
        }
        NotFound::Yet(because) => Disposition::Later(because.to_owned()),
        NotFound::Contradiction(because) => Disposition::Dead(because.to_owned()),
    })?;
    let Instructions { about, mut steps, .. } = instructions;
    if let Some(because) = about.as_ref().and_then(|about| known.is_foreign(about)) {
        return Err(Disposition::Dead(because.to_owned()));
    }
    steps.retain(|step| {
        let Command::Customer(CustomerCommand::LinkCustomer { customer, .. }) = &step.command else {
            return true;
        };
        known.link(customer, &account)
    });
    let report = about.and_then(|SubscriptionRef { subscription, report, .. }| {
        let evidence = report?;
        Some(NewReport { subscription, evidence, account: account.clone(), party: due.party.clone() })
    });
    let mut elsewhere = report.as_ref().map(|report| known.report(report, &steps)).unwrap_or_default();
    elsewhere.extend(known.discounts_elsewhere(&account, &steps));
    Ok(RoutedReport { account, steps, elsewhere, report })
}

/// Whether the command may well be about something that is not sold here: which invoice a payment was for, or a
/// discount.
const fn may_be_strange(command: &Command) -> bool {
    matches!(
        command,
        Command::Payment(PaymentCommand::LinkPayment { .. })
            | Command::Customer(CustomerCommand::RecordDiscount(_))
    )
}
