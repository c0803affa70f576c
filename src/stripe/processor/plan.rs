//! What is whom to be told by an event?

use super::reading::Translated;
use crate::{
    domain::{command::Command, names::AccountId},
    stripe::{
        discounts::CouponTold,
        fate::Fate,
        inbox::claim::{Due, ReportTold},
        known::{Known, NotFound},
        translate::{About, Instructions, SetAside, Step},
    },
};

/// An event of which it is known whose it is, or what becomes of it without a command.
pub(super) struct Plan {
    pub(super) due: Due,
    pub(super) todo: Result<Told, Fate>,
    pub(super) coupons: Vec<CouponTold>,
    pub(super) note: Option<String>,
}

/// What an event tells to whom.
pub(super) struct Told {
    pub(super) account: AccountId,
    pub(super) steps: Vec<Step>,
    /// What it tells to accounts that had the subscription before, or that the same customer stands for.
    pub(super) elsewhere: Vec<(AccountId, Step)>,
    pub(super) report: Option<ReportTold>,
}

pub(super) fn plan(event: Translated, known: &mut Known) -> Plan {
    let Translated { due, translation, coupons, note } = event;
    let todo = translation.map_err(|aside| set_aside(aside, known));
    let todo = todo.and_then(|instructions| tell(&due, instructions, known));
    Plan { due, todo, coupons, note }
}

/// What becomes of an event without a command. What is held only if it is an account's may turn out to be nobody's.
fn set_aside(aside: SetAside, known: &Known) -> Fate {
    let SetAside::HeldIfOurs { owner, because } = aside else { return Fate::of(&aside) };
    let instructions = Instructions { owner, about: None, steps: Vec::new() };
    match known.account_of(&instructions) {
        Ok(_) => Fate::Dead(because),
        Err(_) => Fate::LaterIfAtAll(because),
    }
}

/// Finds whose the event is, and leaves out links that are there. A link that it makes holds for the next
/// events already: they would make the same one.
#[expect(clippy::wildcard_enum_match_arm, reason = "only a link may be there already")]
pub(super) fn tell(due: &Due, instructions: Instructions, known: &mut Known) -> Result<Told, Fate> {
    let account = known.account_of(&instructions).map_err(|error| match error {
        NotFound::Yet(because) if instructions.steps.iter().all(|step| may_be_strange(&step.command)) => {
            Fate::LaterIfAtAll(because.to_owned())
        }
        NotFound::Yet(because) => Fate::Later(because.to_owned()),
        NotFound::Contradiction(because) => Fate::Dead(because.to_owned()),
    })?;
    let Instructions { about, mut steps, .. } = instructions;
    if let Some(because) = about.as_ref().and_then(|about| known.is_foreign(about)) {
        return Err(Fate::Dead(because.to_owned()));
    }
    steps.retain(|step| match &step.command {
        Command::LinkCustomer { customer, .. } => known.link(customer, &account),
        _ => true,
    });
    let report = about.and_then(|About { subscription, report, .. }| {
        let evidence = report?;
        Some(ReportTold { subscription, evidence, account: account.clone(), party: due.party.clone() })
    });
    let mut elsewhere = report.as_ref().map(|report| known.report(report, &steps)).unwrap_or_default();
    elsewhere.extend(known.discounts_elsewhere(&account, &steps));
    Ok(Told { account, steps, elsewhere, report })
}

/// Whether the command is as likely about something that is not sold here: which invoice a payment was for, or what somebody
/// has taken off.
const fn may_be_strange(command: &Command) -> bool {
    matches!(command, Command::LinkPayment { .. } | Command::RecordDiscount(_))
}
