//! How is an account closed? For good.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        command::{AccountCommand, Command},
        credits::Balance,
        event::{AccountEvent, Event},
    },
    http::{
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::HoldsOpen,
        request::{Operates, Text},
        schema::{BalanceSchema, Id, Place},
    },
    ledger::Outcome,
};

use super::call::{ApiCommand, CallResult, CommandCall, Target};

/// Why an account is closed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "the customer left" }))]
pub struct CloseRequest {
    pub reason: Text,
}

/// The account is closed: nothing more can be spent or granted.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosedResponse<'a> {
    #[schema(value_type = Id)]
    pub account: &'a str,
    /// `closed`
    #[schema(value_type = String)]
    pub status: &'static str,
    pub reason: &'a str,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

impl ApiCommand for CloseRequest {
    const STATUS: StatusCode = StatusCode::OK;
    type Scope = Operates;
    type Subject = ();
    type Reply<'a> = ClosedResponse<'a>;

    async fn command(self, (): (), _: Target<'_>) -> Result<Command, Failure> {
        Ok(Command::Account(AccountCommand::CloseAccount { reason: self.reason.into() }))
    }

    fn reply<'a>(done: &'a Outcome) -> Option<ClosedResponse<'a>> {
        let account = done.events.first()?.account.as_str();
        done.find(|event| {
            let Event::Account(AccountEvent::AccountClosed { reason, .. }) = event else {
                return None;
            };
            let (balance, position) = (done.balance()?, Token::of(done.position));
            Some(ClosedResponse { account, status: "closed", reason, balance, position })
        })
    }
}

/// Close an account
///
/// For good. Open holds must be ended first.
/// The account's subscriptions are still charged, and give nothing, until they are cancelled: a closed account takes
/// `POST …/subscription/cancel`, too.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/close", operation_id = "close_account", tag = "Operating",
    params(("account" = Id, Path)), request_body = CloseRequest,
    responses((status = 200, description = "Closed.", body = ClosedResponse), Problems<HoldsOpen>)
)]
pub async fn close(call: CommandCall<CloseRequest>) -> CallResult {
    call.execute().await
}
