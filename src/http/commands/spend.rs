//! How is a part of a hold spent, while the rest stays held?

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        amount::Credits,
        command::{Command, CreditsCommand},
        credits::Balance,
        event::{Draw, Event, HoldEvent},
        ids::{GenerationId, HoldId},
    },
    http::{
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::AmountExceedsHold,
        request::{Amount, Deducts, Text},
        schema::{BalanceSchema, Count, DrawSchema, Id, Place},
    },
    ledger::Outcome,
};

use super::{
    call::{ApiCommand, CallResult, CommandCall, Target},
    hold::EndingHold,
};

/// The part of a hold to spend.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount": 120, "description": "renders of worker 7" }))]
pub struct SpendRequest {
    pub amount: Amount,
    /// The caller's own id of the work, by which it can be refunded. That of the hold if left out.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub generation_id: Option<GenerationId>,
    #[serde(default)]
    pub description: Option<Text>,
}

/// A part of a hold was spent. The rest is still held.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldSpentResponse<'a> {
    #[schema(value_type = Id)]
    pub hold_id: &'a str,
    /// For refunds.
    #[schema(value_type = Id)]
    pub deduction_id: &'a str,
    #[schema(value_type = Option<Id>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<&'a str>,
    /// How much was spent.
    #[schema(value_type = Count)]
    pub amount: Credits,
    /// Which grants paid. Sums to `amount`.
    #[schema(value_type = Vec<DrawSchema>)]
    pub draws: &'a [Draw],
    /// What is still held.
    #[schema(value_type = Count)]
    pub left: Credits,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

impl ApiCommand for SpendRequest {
    const STATUS: StatusCode = StatusCode::OK;
    type Scope = Deducts;
    type Subject = HoldId;
    type Reply<'a> = HoldSpentResponse<'a>;

    async fn command(self, hold_id: HoldId, _: Target<'_>) -> Result<Command, Failure> {
        Ok(Command::Credits(CreditsCommand::SpendHold {
            hold_id,
            amount: self.amount.credits(),
            id: self.generation_id,
            description: self.description.map(String::from),
        }))
    }

    fn reply<'a>(done: &'a Outcome) -> Option<HoldSpentResponse<'a>> {
        done.find(|event| {
            let Event::Hold(HoldEvent::HoldSpent {
                deduction_id, hold_id, amount, draws, left, purpose, ..
            }) = event
            else {
                return None;
            };
            Some(HoldSpentResponse {
                hold_id: hold_id.as_str(),
                deduction_id: deduction_id.as_str(),
                generation_id: purpose.generation_id().map(GenerationId::as_str),
                amount: *amount,
                draws,
                left: *left,
                balance: done.balance()?,
                position: Token::of(done.position),
            })
        })
    }
}

/// Spend a part of a hold
///
/// Any number of times; the hold stays open, also with nothing left, until it is committed or released or expires.
/// What was spent stays spent, whatever becomes of the rest.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/holds/{hold}/spend", operation_id = "spend_hold", tag = "Holds",
    params(("account" = Id, Path), ("hold" = Id, Path)), request_body = SpendRequest,
    responses(
        (status = 200, description = "Spent.", body = HoldSpentResponse),
        Problems<(EndingHold, AmountExceedsHold)>,
    )
)]
pub async fn spend(call: CommandCall<SpendRequest>) -> CallResult {
    call.execute().await
}
