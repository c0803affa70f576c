//! How are credits held until work is done: an amount?

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        amount::Credits,
        command::{Command, CreditsCommand, HoldFor},
        credits::Balance,
        event::{Draw, Event, HoldEvent},
        ids::GenerationId,
        time::Timestamp,
    },
    http::{
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{HoldAlreadyResolved, HoldNotFound, HoldTooLong, Spending},
        request::{Amount, Deducts, Text},
        schema::{BalanceSchema, Count, DrawSchema, Id, Place, Time},
    },
    ledger::Outcome,
};

use super::call::{ApiCommand, CallResult, CommandCall, Target};

/// Problems of ending or extending a hold.
pub type EndingHold = (HoldNotFound, HoldAlreadyResolved);

/// Credits to hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount": 20, "expires_in_s": 600 }))]
pub struct HoldRequest {
    pub amount: Amount,
    /// How many seconds the hold lives; 900 if left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 86400)]
    pub expires_in_s: Option<u32>,
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub generation_id: Option<GenerationId>,
    #[serde(default)]
    pub description: Option<Text>,
}

/// Credits were held.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldPlacedResponse<'a> {
    #[schema(value_type = Id)]
    pub hold_id: &'a str,
    #[schema(value_type = Option<Id>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<&'a str>,
    #[schema(value_type = Count)]
    pub amount: Credits,
    /// Which grants they are held from. Sums to `amount`.
    #[schema(value_type = Vec<DrawSchema>)]
    pub draws: &'a [Draw],
    #[schema(value_type = Time)]
    pub expires_at: Timestamp,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

impl ApiCommand for HoldRequest {
    const STATUS: StatusCode = StatusCode::CREATED;
    type Scope = Deducts;
    type Subject = ();
    type Reply<'a> = HoldPlacedResponse<'a>;

    async fn command(self, (): (), _: Target<'_>) -> Result<Command, Failure> {
        let what = HoldFor::Amount {
            amount: self.amount.credits(),
            id: self.generation_id,
            description: self.description.map(String::from),
        };
        Ok(Command::Credits(CreditsCommand::HoldCredits { what, expires_in_s: self.expires_in_s }))
    }

    fn reply<'a>(done: &'a Outcome) -> Option<HoldPlacedResponse<'a>> {
        done.find(|event| HoldPlacedResponse::of(event, done))
    }
}

impl<'a> HoldPlacedResponse<'a> {
    pub fn of(event: &'a Event, done: &'a Outcome) -> Option<Self> {
        let Event::Hold(HoldEvent::CreditsHeld { hold_id, amount, draws, purpose, expires_at, .. }) = event
        else {
            return None;
        };
        Some(Self {
            hold_id: hold_id.as_str(),
            generation_id: purpose.generation_id().map(GenerationId::as_str),
            amount: *amount,
            draws,
            expires_at: *expires_at,
            balance: done.balance()?,
            position: Token::of(done.position),
        })
    }
}

/// Hold credits
///
/// Until they are committed or released, or the hold expires.
/// An open hold can be spent in parts (`…/spend`), topped up (`…/top-up`) and returned in parts (`…/release`).
#[utoipa::path(
    post, path = "/v1/accounts/{account}/holds", operation_id = "hold", tag = "Holds",
    params(("account" = Id, Path)), request_body = HoldRequest,
    responses((status = 201, description = "Held.", body = HoldPlacedResponse), Problems<(Spending, HoldTooLong)>)
)]
pub async fn hold(call: CommandCall<HoldRequest>) -> CallResult {
    call.execute().await
}
