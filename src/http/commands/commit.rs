//! How is a hold spent, all or a part of it?

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        amount::Credits,
        command::{Command, CreditsCommand, Excess},
        credits::Balance,
        event::{Draw, Event, HoldEvent},
        ids::{GenerationId, HoldId},
    },
    http::{
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{CommitExceedsHold, InsufficientCredits, LimitReached},
        request::{Amount, Deducts, word},
        schema::{BalanceSchema, Count, DrawSchema, Id, Place},
    },
    ledger::Outcome,
};

use super::{
    call::{ApiCommand, CallResult, CommandCall, Target},
    deduct::DeductedResponse,
    hold::EndingHold,
};

/// How much of a hold to spend.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount": 12 }))]
pub struct CommitRequest {
    /// All that is left if left out.
    #[serde(default)]
    pub amount: Option<Amount>,
    #[serde(default, deserialize_with = "word")]
    pub excess: ExcessChoice,
}

/// What happens if more is committed than was held.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExcessChoice {
    /// Refuse.
    #[default]
    Reject,
    /// Spend what was held, and report the shortfall.
    Cap,
    /// Spend the difference as a new deduction. If there are not enough credits, nothing is spent at all.
    Take,
}

/// All or a part of a hold was spent. The rest was returned.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommittedResponse<'a> {
    #[schema(value_type = Id)]
    pub hold_id: &'a str,
    /// `committed`
    #[schema(value_type = String)]
    pub status: &'static str,
    /// For refunds.
    #[schema(value_type = Id)]
    pub deduction_id: &'a str,
    #[schema(value_type = Option<Id>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<&'a str>,
    /// How much of the hold was spent.
    #[schema(value_type = Count)]
    pub amount: Credits,
    #[schema(value_type = Vec<DrawSchema>)]
    pub draws: &'a [Draw],
    /// Which grants got the rest back.
    #[schema(value_type = Vec<DrawSchema>)]
    pub returns: &'a [Draw],
    /// With `"excess": "cap"`: how much was asked for beyond the hold, and not spent.
    #[schema(value_type = Count)]
    pub shortfall: Credits,
    /// With `"excess": "take"`: the deduction of what was spent beyond the hold.
    #[schema(value_type = Option<Id>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beyond_deduction_id: Option<&'a str>,
    #[schema(value_type = Count)]
    pub beyond_amount: Credits,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

impl ApiCommand for CommitRequest {
    const STATUS: StatusCode = StatusCode::OK;
    type Scope = Deducts;
    type Subject = HoldId;
    type Reply<'a> = CommittedResponse<'a>;

    fn nothing() -> Option<Self> {
        Some(Self::default())
    }

    async fn command(self, hold_id: HoldId, _: Target<'_>) -> Result<Command, Failure> {
        let excess = match self.excess {
            ExcessChoice::Reject => Excess::Reject,
            ExcessChoice::Cap => Excess::Cap,
            ExcessChoice::Take => Excess::Take,
        };
        Ok(Command::Credits(CreditsCommand::CommitHold {
            hold_id,
            amount: self.amount.map(Amount::credits),
            excess,
        }))
    }

    fn reply<'a>(done: &'a Outcome) -> Option<CommittedResponse<'a>> {
        // What was spent beyond the hold is a deduction of its own, in the same outcome.
        let beyond = done.find(|event| DeductedResponse::of(event, done));
        done.find(|event| {
            let Event::Hold(HoldEvent::HoldCommitted {
                hold_id,
                amount,
                draws,
                returns,
                shortfall,
                purpose,
                ..
            }) = event
            else {
                return None;
            };
            Some(CommittedResponse {
                hold_id: hold_id.as_str(),
                status: "committed",
                deduction_id: hold_id.as_str(),
                generation_id: purpose.generation_id().map(GenerationId::as_str),
                amount: *amount,
                draws,
                returns,
                shortfall: *shortfall,
                beyond_deduction_id: beyond.as_ref().map(|deducted| deducted.deduction_id),
                beyond_amount: beyond.as_ref().map_or(Credits::ZERO, |deducted| deducted.amount),
                balance: done.balance()?,
                position: Token::of(done.position),
            })
        })
    }
}

/// Spend a hold
///
/// All that is left or a part of it; the rest is returned to the grants that it was held from, and the hold ends.
/// To spend a part and keep the rest held, use `…/spend`.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/holds/{hold}/commit", operation_id = "commit_hold", tag = "Holds",
    params(("account" = Id, Path), ("hold" = Id, Path)), request_body = Option<CommitRequest>,
    responses(
        (status = 200, description = "Committed.", body = CommittedResponse),
        Problems<(EndingHold, CommitExceedsHold, InsufficientCredits, LimitReached)>,
    )
)]
pub async fn commit(call: CommandCall<CommitRequest>) -> CallResult {
    call.execute().await
}
