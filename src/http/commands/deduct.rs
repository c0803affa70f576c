//! How is an amount of credits spent?

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        amount::Credits,
        command::{Command, CreditsCommand},
        credits::Balance,
        event::{CreditsEvent, Draw, Event},
        ids::GenerationId,
    },
    http::{
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::Spending,
        request::{Amount, Deducts, Text},
        schema::{BalanceSchema, Count, DrawSchema, Id, Place},
    },
    ledger::Outcome,
};

use super::call::{ApiCommand, CallResult, CommandCall, Target};

/// Credits to spend now, and for good.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount": 25, "description": "an extra render" }))]
pub struct DeductRequest {
    pub amount: Amount,
    /// The caller's own id of the work, by which it can be refunded.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub generation_id: Option<GenerationId>,
    #[serde(default)]
    pub description: Option<Text>,
}

/// Credits were spent.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeductedResponse<'a> {
    #[schema(value_type = Id)]
    pub deduction_id: &'a str,
    #[schema(value_type = Option<Id>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<&'a str>,
    #[schema(value_type = Count)]
    pub amount: Credits,
    /// Which grants paid. Sums to `amount`.
    #[schema(value_type = Vec<DrawSchema>)]
    pub draws: &'a [Draw],
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

impl ApiCommand for DeductRequest {
    const STATUS: StatusCode = StatusCode::CREATED;
    type Scope = Deducts;
    type Subject = ();
    type Reply<'a> = DeductedResponse<'a>;

    async fn command(self, (): (), _: Target<'_>) -> Result<Command, Failure> {
        let (amount, description) = (self.amount.credits(), self.description.map(String::from));
        Ok(Command::Credits(CreditsCommand::DeductCredits { amount, id: self.generation_id, description }))
    }

    fn reply<'a>(done: &'a Outcome) -> Option<DeductedResponse<'a>> {
        done.find(|event| DeductedResponse::of(event, done))
    }
}

impl<'a> DeductedResponse<'a> {
    pub fn of(event: &'a Event, done: &'a Outcome) -> Option<Self> {
        let Event::Credits(CreditsEvent::CreditsDeducted { deduction_id, amount, draws, purpose, .. }) =
            event
        else {
            return None;
        };
        Some(Self {
            deduction_id: deduction_id.as_str(),
            generation_id: purpose.generation_id().map(GenerationId::as_str),
            amount: *amount,
            draws,
            balance: done.balance()?,
            position: Token::of(done.position),
        })
    }
}

/// Deduct an amount
///
/// All of it, or none of it.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/deductions", operation_id = "deduct", tag = "Spending",
    params(("account" = Id, Path)), request_body = DeductRequest,
    responses((status = 201, description = "Deducted.", body = DeductedResponse), Problems<Spending>)
)]
pub async fn deduct(call: CommandCall<DeductRequest>) -> CallResult {
    call.execute().await
}
