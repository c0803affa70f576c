//! Samples of what happens to an account and its credits.

use counterfoil::domain::{
    discounts::TakenOff,
    event::{AccountEvent, BURN_ORDER, CreditsEvent, Event, HoldEvent},
    fraction::Fraction,
    moving::MovedIn,
};

use super::{at, deduction_id, draws, grant, metadata, named, windows, work};
use crate::builders::{
    catalog::{credits, plan_id},
    words::{draw, grant_id, hold_id, month, provider, time},
};

pub(super) fn accounts() -> Vec<Event> {
    let effective_at = at();
    vec![
        Event::Account(AccountEvent::AccountOpened {
            plan: plan_id("free"),
            moved_in: Some(MovedIn { as_of: effective_at, windows: windows(), debt: credits(5) }),
            effective_at,
        }),
        Event::Account(AccountEvent::CustomerLinked { customer: provider("cus_1"), effective_at }),
        Event::Account(AccountEvent::CustomerUnlinked { customer: provider("cus_1"), effective_at }),
        Event::Account(AccountEvent::CustomerDiscounted {
            customer: provider("cus_1"),
            discount: provider("di_1"),
            off: Some(TakenOff::Percent(Fraction::new(25, 2).expect("a fraction"))),
            effective_at,
        }),
        Event::Account(AccountEvent::CustomerDiscountEnded {
            customer: provider("cus_1"),
            discount: provider("di_1"),
            effective_at,
        }),
        Event::Account(AccountEvent::AccountMetadataSet { metadata: metadata(), effective_at }),
        Event::Account(AccountEvent::AccountClosed { reason: "asked to".to_owned(), effective_at }),
    ]
}

pub(super) fn grants() -> Vec<Event> {
    let effective_at = at();
    vec![
        Event::Credits(CreditsEvent::CreditsGranted { grant: grant(), purpose: Some(work()), effective_at }),
        Event::Credits(CreditsEvent::CreditsDeducted {
            deduction_id: deduction_id(),
            amount: credits(5),
            draws: draws(),
            order: BURN_ORDER.into(),
            purpose: work(),
            windows: windows(),
            effective_at,
        }),
        Event::Credits(CreditsEvent::CreditsRefunded {
            deduction_id: deduction_id(),
            amount: credits(5),
            returns: vec![draw("signup", 2)],
            reissued: vec![draw("carry:month:sub_1:1748772000", 3)],
            reason: "failed".to_owned(),
            purpose: work(),
            windows: windows(),
            effective_at,
        }),
        Event::Credits(CreditsEvent::CreditsExpired {
            grant_id: grant_id("signup"),
            amount: credits(48),
            effective_at,
        }),
        Event::Credits(CreditsEvent::CreditsAdjusted {
            amount: credits(5),
            draws: draws(),
            reason: "mistake".to_owned(),
            effective_at,
        }),
    ]
}

pub(super) fn clawbacks() -> Vec<Event> {
    let effective_at = at();
    let (grant_id, dispute) = (grant_id("pack:pi_1"), provider("dp_1"));
    vec![
        Event::Credits(CreditsEvent::CreditsClawedBack {
            payment: provider("pi_1"),
            grant_id: grant_id.clone(),
            voided: credits(100),
            expired: credits(10),
            owed: credits(20),
            forgiven: credits(30),
            effective_at,
        }),
        Event::Credits(CreditsEvent::CreditsRestored {
            payment: provider("pi_1"),
            grant_id: grant_id.clone(),
            restored: credits(90),
            expired: credits(9),
            unowed: credits(8),
            repaid: credits(7),
            unforgiven: credits(6),
            effective_at,
        }),
        Event::Credits(CreditsEvent::GrantFrozen {
            grant_id: grant_id.clone(),
            dispute: dispute.clone(),
            effective_at,
        }),
        Event::Credits(CreditsEvent::GrantUnfrozen { grant_id: grant_id.clone(), dispute, effective_at }),
        Event::Credits(CreditsEvent::GrantEndMoved {
            grant_id: grant_id.clone(),
            ends_at: month(1).end,
            revived: credits(7),
            effective_at,
        }),
        Event::Credits(CreditsEvent::DebtPaid { grant_id, amount: credits(15), effective_at }),
        Event::Credits(CreditsEvent::DebtForgiven {
            amount: credits(5),
            reason: "goodwill".to_owned(),
            effective_at,
        }),
    ]
}

pub(super) fn holds() -> Vec<Event> {
    let (effective_at, hold_id) = (at(), hold_id("hold_8"));
    let expires_at = time("2025-06-11T10:20:00.250Z");
    vec![
        Event::Hold(HoldEvent::CreditsHeld {
            hold_id: hold_id.clone(),
            amount: credits(5),
            draws: draws(),
            order: BURN_ORDER.into(),
            purpose: named(),
            windows: windows(),
            expires_at,
            effective_at,
        }),
        Event::Hold(HoldEvent::HoldExtended { hold_id: hold_id.clone(), expires_at, effective_at }),
        Event::Hold(HoldEvent::HoldCommitted {
            hold_id: hold_id.clone(),
            amount: credits(3),
            draws: vec![draw("carry:month:sub_1:1748772000", 3)],
            returns: vec![draw("signup", 2)],
            shortfall: credits(4),
            purpose: named(),
            windows: Some(windows()),
            effective_at,
        }),
        Event::Hold(HoldEvent::HoldSpent {
            deduction_id: deduction_id(),
            hold_id: hold_id.clone(),
            amount: credits(3),
            draws: vec![draw("carry:month:sub_1:1748772000", 3)],
            left: credits(2),
            purpose: work(),
            description: Some("renders of worker 7".to_owned()),
            windows: windows(),
            effective_at,
        }),
        Event::Hold(HoldEvent::HoldToppedUp {
            hold_id: hold_id.clone(),
            amount: credits(5),
            draws: draws(),
            order: BURN_ORDER.to_owned(),
            left: credits(7),
            purpose: named(),
            windows: windows(),
            expires_at,
            effective_at,
        }),
        Event::Hold(HoldEvent::HoldReduced {
            hold_id: hold_id.clone(),
            amount: credits(2),
            returns: vec![draw("signup", 2)],
            left: credits(3),
            purpose: work(),
            windows: windows(),
            effective_at,
        }),
        Event::Hold(HoldEvent::HoldReleased {
            hold_id: hold_id.clone(),
            returns: draws(),
            purpose: Some(work()),
            effective_at,
        }),
        Event::Hold(HoldEvent::HoldExpired {
            hold_id,
            returns: draws(),
            purpose: Some(named()),
            effective_at,
        }),
    ]
}
