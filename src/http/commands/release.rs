//! How is a hold released, all or a part of it?

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        amount::Credits,
        command::{Command, CreditsCommand},
        credits::Balance,
        event::{Draw, Event, HoldEvent},
        ids::HoldId,
    },
    http::{
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::AmountExceedsHold,
        request::{Amount, Deducts},
        schema::{BalanceSchema, Count, DrawSchema, Id, Place},
    },
    ledger::Outcome,
};

use super::{
    call::{ApiCommand, CallResult, CommandCall, Target},
    hold::EndingHold,
};

/// How much of a hold to return.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct ReleaseRequest {
    /// All that is left if left out, and only then the hold ends.
    #[serde(default)]
    pub amount: Option<Amount>,
}

/// All that was left of a hold, or a part of it, was returned.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleasedResponse<'a> {
    #[schema(value_type = Id)]
    pub hold_id: &'a str,
    /// `released`; `open` if an amount was asked for
    #[schema(value_type = String)]
    pub status: &'static str,
    /// How much was returned.
    #[schema(value_type = Count)]
    pub amount: Credits,
    #[schema(value_type = Vec<DrawSchema>)]
    pub returns: &'a [Draw],
    /// What is still held.
    #[schema(value_type = Count)]
    pub left: Credits,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

impl ApiCommand for ReleaseRequest {
    const STATUS: StatusCode = StatusCode::OK;
    type Scope = Deducts;
    type Subject = HoldId;
    type Reply<'a> = ReleasedResponse<'a>;

    fn nothing() -> Option<Self> {
        Some(Self::default())
    }

    async fn command(self, hold_id: HoldId, _: Target<'_>) -> Result<Command, Failure> {
        Ok(Command::Credits(CreditsCommand::ReleaseHold {
            hold_id,
            amount: self.amount.map(Amount::credits),
        }))
    }

    fn reply<'a>(done: &'a Outcome) -> Option<ReleasedResponse<'a>> {
        done.find(|event| {
            let (status, hold_id, returns, left) =
                if let Event::Hold(HoldEvent::HoldReleased { hold_id, returns, .. }) = event {
                    ("released", hold_id, returns, Credits::ZERO)
                } else if let Event::Hold(HoldEvent::HoldReduced { hold_id, returns, left, .. }) = event {
                    ("open", hold_id, returns, *left)
                } else {
                    return None;
                };
            Some(ReleasedResponse {
                hold_id: hold_id.as_str(),
                status,
                amount: Credits::checked_sum(returns.iter().map(|draw| draw.amount))?,
                returns,
                left,
                balance: done.balance()?,
                position: Token::of(done.position),
            })
        })
    }
}

/// Release a hold
///
/// All that is left is returned to the grants that it was held from, and the hold ends.
/// With `amount`, only so much is returned, and the hold stays open.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/holds/{hold}/release", operation_id = "release_hold", tag = "Holds",
    params(("account" = Id, Path), ("hold" = Id, Path)), request_body = Option<ReleaseRequest>,
    responses(
        (status = 200, description = "Released.", body = ReleasedResponse),
        Problems<(EndingHold, AmountExceedsHold)>,
    )
)]
pub async fn release(call: CommandCall<ReleaseRequest>) -> CallResult {
    call.execute().await
}
