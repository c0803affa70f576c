//! How is the end of a hold moved?

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        command::{Command, CreditsCommand},
        credits::Balance,
        event::{Event, HoldEvent},
        ids::HoldId,
        time::Timestamp,
    },
    http::{
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::HoldTooLong,
        request::Deducts,
        schema::{BalanceSchema, Id, Place, Time},
    },
    ledger::Outcome,
};

use super::{
    call::{ApiCommand, CallResult, CommandCall, Target},
    hold::EndingHold,
};

/// When a hold should end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "expires_in_s": 1200 }))]
pub struct ExtendRequest {
    /// Seconds from now. A hold lives at most 86400 seconds in all.
    #[schema(minimum = 1, maximum = 86400)]
    pub expires_in_s: u32,
}

/// The end of a hold was moved.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExtendedResponse<'a> {
    #[schema(value_type = Id)]
    pub hold_id: &'a str,
    #[schema(value_type = Time)]
    pub expires_at: Timestamp,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

impl ApiCommand for ExtendRequest {
    const STATUS: StatusCode = StatusCode::OK;
    type Scope = Deducts;
    type Subject = HoldId;
    type Reply<'a> = ExtendedResponse<'a>;

    async fn command(self, hold_id: HoldId, _: Target<'_>) -> Result<Command, Failure> {
        Ok(Command::Credits(CreditsCommand::ExtendHold { hold_id, expires_in_s: self.expires_in_s }))
    }

    fn reply<'a>(done: &'a Outcome) -> Option<ExtendedResponse<'a>> {
        done.find(|event| {
            let Event::Hold(HoldEvent::HoldExtended { hold_id, expires_at, .. }) = event else {
                return None;
            };
            let (balance, position) = (done.balance()?, Token::of(done.position));
            Some(ExtendedResponse { hold_id: hold_id.as_str(), expires_at: *expires_at, balance, position })
        })
    }
}

/// Move the end of a hold
#[utoipa::path(
    post, path = "/v1/accounts/{account}/holds/{hold}/extend", operation_id = "extend_hold", tag = "Holds",
    params(("account" = Id, Path), ("hold" = Id, Path)), request_body = ExtendRequest,
    responses((status = 200, description = "Extended.", body = ExtendedResponse), Problems<(EndingHold, HoldTooLong)>)
)]
pub async fn extend(call: CommandCall<ExtendRequest>) -> CallResult {
    call.execute().await
}
