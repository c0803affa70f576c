//! What does a caller read when a command was done? What its events say, and nothing that changes afterwards.

use axum::http::StatusCode;
use serde::Serialize;

use crate::{
    domain::{
        amount::Credits,
        credits::Balance,
        event::{AccountEvent, CreditsEvent, Event, HoldEvent, Purpose},
    },
    http::{failure::Failure, position::Token},
    ledger::Outcome,
};

use super::{
    documents::{
        AdjustedResponse, ClosedResponse, CommittedResponse, DeductedResponse, ExtendedResponse,
        ForgivenResponse, GrantedResponse, HoldPlacedResponse, RefundedDeductionResponse, RefundedResponse,
        ReleasedResponse,
    },
    order::{CommandKind, CommandReply},
};

/// The answer to a command of this kind that had this outcome.
///
/// # Errors
/// When the outcome lacks the event that the rules always write for such a command.
pub fn write(kind: CommandKind, outcome: &Outcome) -> Result<CommandReply, Failure> {
    let balance = outcome.balance().ok_or_else(missing)?;
    let end = End { outcome, balance, position: Token::of(outcome.position) };
    match kind {
        CommandKind::Deduct | CommandKind::Generate => end.created(end.find(|event| end.deducted(event))),
        CommandKind::Hold => end.created(end.find(|event| end.held(event))),
        CommandKind::Refund => end.created(end.refunded()),
        CommandKind::Grant => end.created(end.find(|event| end.granted(event))),
        CommandKind::Adjust => end.created(end.find(|event| end.adjusted(event))),
        CommandKind::Commit => end.ok(end.find(|event| end.committed(event))),
        CommandKind::Release => end.ok(end.find(|event| end.released(event))),
        CommandKind::Extend => end.ok(end.find(|event| end.extended(event))),
        CommandKind::Forgive => end.ok(end.find(|event| end.forgiven(event))),
        CommandKind::Close => end.ok(end.find(|event| end.closed(event))),
    }
}

fn missing() -> Failure {
    Failure::unexpected("a command's outcome lacks its event")
}

/// An outcome, and how things stood after it.
struct End<'a> {
    outcome: &'a Outcome,
    balance: Balance,
    position: Token,
}

impl<'a> End<'a> {
    /// What the command's own event says. What time brought comes before it, so the search begins at the end.
    fn find<T>(&self, read: impl Fn(&'a Event) -> Option<T>) -> Option<T> {
        self.outcome.events.iter().rev().find_map(|recorded| read(&recorded.event))
    }

    fn created(&self, document: Option<impl Serialize>) -> Result<CommandReply, Failure> {
        self.done(StatusCode::CREATED, document)
    }

    fn ok(&self, document: Option<impl Serialize>) -> Result<CommandReply, Failure> {
        self.done(StatusCode::OK, document)
    }

    fn done(&self, status: StatusCode, document: Option<impl Serialize>) -> Result<CommandReply, Failure> {
        let body = serde_json::to_vec(&document.ok_or_else(missing)?).map_err(Failure::fault)?;
        Ok(CommandReply { status, replayed: self.outcome.replayed, body })
    }

    fn deducted(&self, event: &'a Event) -> Option<DeductedResponse<'a>> {
        let Event::Credits(CreditsEvent::CreditsDeducted { deduction_id, amount, draws, purpose, .. }) =
            event
        else {
            return None;
        };
        Some(DeductedResponse {
            deduction_id: deduction_id.as_str(),
            generation_id: generation_id(purpose),
            amount: *amount,
            draws,
            balance: self.balance,
            position: self.position,
        })
    }

    fn held(&self, event: &'a Event) -> Option<HoldPlacedResponse<'a>> {
        let Event::Hold(HoldEvent::CreditsHeld { hold_id, amount, draws, purpose, expires_at, .. }) = event
        else {
            return None;
        };
        Some(HoldPlacedResponse {
            hold_id: hold_id.as_str(),
            generation_id: generation_id(purpose),
            amount: *amount,
            draws,
            expires_at: *expires_at,
            balance: self.balance,
            position: self.position,
        })
    }

    fn committed(&self, event: &'a Event) -> Option<CommittedResponse<'a>> {
        let Event::Hold(HoldEvent::HoldCommitted {
            hold_id, amount, draws, returns, shortfall, purpose, ..
        }) = event
        else {
            return None;
        };
        // What was taken beyond the hold is a deduction of its own, in the same outcome.
        let beyond = self.find(|event| self.deducted(event));
        Some(CommittedResponse {
            hold_id: hold_id.as_str(),
            status: "committed",
            deduction_id: hold_id.as_str(),
            generation_id: generation_id(purpose),
            amount: *amount,
            draws,
            returns,
            shortfall: *shortfall,
            beyond_deduction_id: beyond.as_ref().map(|deducted| deducted.deduction_id),
            beyond_amount: beyond.map_or(Credits::ZERO, |deducted| deducted.amount),
            balance: self.balance,
            position: self.position,
        })
    }

    fn released(&self, event: &'a Event) -> Option<ReleasedResponse<'a>> {
        let Event::Hold(HoldEvent::HoldReleased { hold_id, returns, .. }) = event else {
            return None;
        };
        Some(ReleasedResponse {
            hold_id: hold_id.as_str(),
            status: "released",
            returns,
            balance: self.balance,
            position: self.position,
        })
    }

    fn extended(&self, event: &'a Event) -> Option<ExtendedResponse<'a>> {
        let Event::Hold(HoldEvent::HoldExtended { hold_id, expires_at, .. }) = event else {
            return None;
        };
        Some(ExtendedResponse {
            hold_id: hold_id.as_str(),
            expires_at: *expires_at,
            balance: self.balance,
            position: self.position,
        })
    }

    /// What came back of each deduction, as one answer.
    fn refunded(&self) -> Option<RefundedResponse<'a>> {
        let mut answer: Option<RefundedResponse<'a>> = None;
        for recorded in self.outcome.events.iter() {
            let Event::Credits(CreditsEvent::CreditsRefunded {
                deduction_id,
                amount,
                returns,
                reissued,
                reason,
                purpose,
                ..
            }) = &recorded.event
            else {
                continue;
            };
            let deduction_id = deduction_id.as_str();
            let answer = answer.get_or_insert_with(|| RefundedResponse {
                deduction_id,
                deductions: Vec::new(),
                generation_id: generation_id(purpose),
                amount: Credits::ZERO,
                returns: Vec::new(),
                reissued: Vec::new(),
                reason,
                balance: self.balance,
                position: self.position,
            });
            answer.deductions.push(RefundedDeductionResponse { deduction_id, amount: *amount });
            answer.amount = answer.amount.checked_add(*amount)?;
            answer.returns.extend(returns);
            answer.reissued.extend(reissued);
        }
        answer
    }

    fn granted(&self, event: &'a Event) -> Option<GrantedResponse<'a>> {
        let Event::Credits(CreditsEvent::CreditsGranted { grant, .. }) = event else {
            return None;
        };
        let debt_paid = self.find(|event| {
            let Event::Credits(CreditsEvent::DebtPaid { grant_id, amount, .. }) = event else {
                return None;
            };
            (*grant_id == grant.grant_id).then_some(*amount)
        });
        Some(GrantedResponse {
            grant_id: grant.grant_id.as_str(),
            source: grant.source,
            amount: grant.amount,
            starts_at: grant.starts_at,
            expires_at: grant.expires_at,
            priority: grant.priority,
            debt_paid: debt_paid.unwrap_or(Credits::ZERO),
            reason: grant.reason.as_deref(),
            balance: self.balance,
            position: self.position,
        })
    }

    fn adjusted(&self, event: &'a Event) -> Option<AdjustedResponse<'a>> {
        let Event::Credits(CreditsEvent::CreditsAdjusted { amount, draws, reason, .. }) = event else {
            return None;
        };
        Some(AdjustedResponse {
            amount: *amount,
            draws,
            reason,
            balance: self.balance,
            position: self.position,
        })
    }

    fn forgiven(&self, event: &'a Event) -> Option<ForgivenResponse<'a>> {
        let Event::Credits(CreditsEvent::DebtForgiven { amount, reason, .. }) = event else {
            return None;
        };
        Some(ForgivenResponse { amount: *amount, reason, balance: self.balance, position: self.position })
    }

    fn closed(&self, event: &'a Event) -> Option<ClosedResponse<'a>> {
        let Event::Account(AccountEvent::AccountClosed { reason, .. }) = event else {
            return None;
        };
        let account = self.outcome.events.first()?.account.as_str();
        Some(ClosedResponse {
            account,
            status: "closed",
            reason,
            balance: self.balance,
            position: self.position,
        })
    }
}

fn generation_id(purpose: &Purpose) -> Option<&str> {
    purpose.generation_id().map(crate::domain::ids::GenerationId::as_str)
}
