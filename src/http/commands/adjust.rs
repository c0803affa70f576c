//! How are credits taken away by hand?

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        amount::Credits,
        command::{Command, CreditsCommand},
        credits::Balance,
        event::{CreditsEvent, Draw, Event},
    },
    http::{
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{ClockBehind, InsufficientCredits},
        request::{Amount, Operates, Text},
        schema::{BalanceSchema, Count, DrawSchema, Id, Place},
    },
    ledger::Outcome,
};

use super::call::{ApiCommand, CallResult, CommandCall, Target};

/// Credits to take away, in the spending order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount": 10, "reason": "granted twice by mistake" }))]
pub struct AdjustRequest {
    pub amount: Amount,
    pub reason: Text,
}

/// Credits were taken away.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdjustedResponse<'a> {
    #[schema(value_type = Count)]
    pub amount: Credits,
    #[schema(value_type = Vec<DrawSchema>)]
    pub draws: &'a [Draw],
    pub reason: &'a str,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

impl ApiCommand for AdjustRequest {
    const STATUS: StatusCode = StatusCode::CREATED;
    type Scope = Operates;
    type Subject = ();
    type Reply<'a> = AdjustedResponse<'a>;

    async fn command(self, (): (), _: Target<'_>) -> Result<Command, Failure> {
        Ok(Command::Credits(CreditsCommand::AdjustCredits {
            amount: self.amount.credits(),
            reason: self.reason.into(),
        }))
    }

    fn reply<'a>(done: &'a Outcome) -> Option<AdjustedResponse<'a>> {
        done.find(|event| {
            let Event::Credits(CreditsEvent::CreditsAdjusted { amount, draws, reason, .. }) = event else {
                return None;
            };
            let (balance, position) = (done.balance()?, Token::of(done.position));
            Some(AdjustedResponse { amount: *amount, draws, reason, balance, position })
        })
    }
}

/// Take credits away
#[utoipa::path(
    post, path = "/v1/accounts/{account}/adjustments", operation_id = "adjust", tag = "Operating",
    params(("account" = Id, Path)), request_body = AdjustRequest,
    responses(
        (status = 201, description = "Taken.", body = AdjustedResponse),
        Problems<(InsufficientCredits, ClockBehind)>,
    )
)]
pub async fn adjust(call: CommandCall<AdjustRequest>) -> CallResult {
    call.execute().await
}
