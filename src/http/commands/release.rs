//! How is a hold released?

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        command::{Command, CreditsCommand},
        credits::Balance,
        event::{Draw, Event, HoldEvent},
        ids::HoldId,
    },
    http::{
        failure::Failure,
        openapi::Problems,
        position::Token,
        request::Deducts,
        schema::{BalanceSchema, DrawSchema, Id, Place},
    },
    ledger::Outcome,
};

use super::{
    call::{ApiCommand, CallResult, CommandCall, Target},
    hold::EndingHold,
};

/// An empty body.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EmptyRequest)]
pub struct ReleaseRequest {}

/// A hold was released, and all of it was returned.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleasedResponse<'a> {
    #[schema(value_type = Id)]
    pub hold_id: &'a str,
    /// `released`
    #[schema(value_type = String)]
    pub status: &'static str,
    #[schema(value_type = Vec<DrawSchema>)]
    pub returns: &'a [Draw],
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
        Some(Self {})
    }

    async fn command(self, hold_id: HoldId, _: Target<'_>) -> Result<Command, Failure> {
        Ok(Command::Credits(CreditsCommand::ReleaseHold { hold_id }))
    }

    fn reply<'a>(done: &'a Outcome) -> Option<ReleasedResponse<'a>> {
        done.find(|event| {
            let Event::Hold(HoldEvent::HoldReleased { hold_id, returns, .. }) = event else {
                return None;
            };
            let (balance, position) = (done.balance()?, Token::of(done.position));
            Some(ReleasedResponse {
                hold_id: hold_id.as_str(),
                status: "released",
                returns,
                balance,
                position,
            })
        })
    }
}

/// Release a hold
#[utoipa::path(
    post, path = "/v1/accounts/{account}/holds/{hold}/release", operation_id = "release_hold", tag = "Holds",
    params(("account" = Id, Path), ("hold" = Id, Path)), request_body = Option<ReleaseRequest>,
    responses((status = 200, description = "Released.", body = ReleasedResponse), Problems<EndingHold>)
)]
pub async fn release(call: CommandCall<ReleaseRequest>) -> CallResult {
    call.execute().await
}
