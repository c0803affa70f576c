//! How are credits added to a hold?

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
        time::Timestamp,
    },
    http::{
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{FeatureNotInPlan, HoldTooLong, Spending},
        request::{Amount, Deducts},
        schema::{BalanceSchema, Count, DrawSchema, Id, Place, Time},
    },
    ledger::Outcome,
};

use super::{
    call::{ApiCommand, CallResult, CommandCall, Target},
    hold::EndingHold,
};

/// How many credits to add to a hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount": 1000, "expires_in_s": 300 }))]
pub struct HoldTopUpRequest {
    pub amount: Amount,
    /// Seconds from now until the hold ends; as before if left out. A hold lives at most 86400 seconds in all.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 86400)]
    pub expires_in_s: Option<u32>,
}

/// Credits were added to a hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldToppedUpResponse<'a> {
    #[schema(value_type = Id)]
    pub hold_id: &'a str,
    /// How much was added.
    #[schema(value_type = Count)]
    pub amount: Credits,
    /// Which grants it is held from. Sums to `amount`.
    #[schema(value_type = Vec<DrawSchema>)]
    pub draws: &'a [Draw],
    /// What is held now.
    #[schema(value_type = Count)]
    pub left: Credits,
    #[schema(value_type = Time)]
    pub expires_at: Timestamp,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

impl ApiCommand for HoldTopUpRequest {
    const STATUS: StatusCode = StatusCode::OK;
    type Scope = Deducts;
    type Subject = HoldId;
    type Reply<'a> = HoldToppedUpResponse<'a>;

    async fn command(self, hold_id: HoldId, _: Target<'_>) -> Result<Command, Failure> {
        let (amount, expires_in_s) = (self.amount.credits(), self.expires_in_s);
        Ok(Command::Credits(CreditsCommand::TopUpHold { hold_id, amount, expires_in_s }))
    }

    fn reply<'a>(done: &'a Outcome) -> Option<HoldToppedUpResponse<'a>> {
        done.find(|event| {
            let Event::Hold(HoldEvent::HoldToppedUp { hold_id, amount, draws, left, expires_at, .. }) = event
            else {
                return None;
            };
            Some(HoldToppedUpResponse {
                hold_id: hold_id.as_str(),
                amount: *amount,
                draws,
                left: *left,
                expires_at: *expires_at,
                balance: done.balance()?,
                position: Token::of(done.position),
            })
        })
    }
}

/// Top up a hold
///
/// Holds more credits in an open hold, if they could be held anew, and moves its end if `expires_in_s` says so.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/holds/{hold}/top-up", operation_id = "top_up_hold", tag = "Holds",
    params(("account" = Id, Path), ("hold" = Id, Path)), request_body = HoldTopUpRequest,
    responses(
        (status = 200, description = "Topped up.", body = HoldToppedUpResponse),
        Problems<(EndingHold, Spending, FeatureNotInPlan, HoldTooLong)>,
    )
)]
pub async fn top_up(call: CommandCall<HoldTopUpRequest>) -> CallResult {
    call.execute().await
}
