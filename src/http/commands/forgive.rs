//! How is debt forgiven?

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        amount::Credits,
        command::{Command, CreditsCommand},
        credits::Balance,
        event::{CreditsEvent, Event},
    },
    http::{
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{DebtSmaller, NothingOwed},
        request::{Amount, Operates, Text},
        schema::{BalanceSchema, Count, Id, Place},
    },
    ledger::Outcome,
};

use super::call::{ApiCommand, CallResult, CommandCall, Target};

/// Debt to forgive.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "goodwill" }))]
pub struct ForgiveRequest {
    /// All of it if left out.
    #[serde(default)]
    pub amount: Option<Amount>,
    pub reason: Text,
}

/// Debt was forgiven.
#[derive(Debug, Serialize, ToSchema)]
pub struct ForgivenResponse<'a> {
    #[schema(value_type = Count)]
    pub amount: Credits,
    pub reason: &'a str,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

impl ApiCommand for ForgiveRequest {
    const STATUS: StatusCode = StatusCode::OK;
    type Scope = Operates;
    type Subject = ();
    type Reply<'a> = ForgivenResponse<'a>;

    async fn command(self, (): (), _: Target<'_>) -> Result<Command, Failure> {
        Ok(Command::Credits(CreditsCommand::ForgiveDebt {
            amount: self.amount.map(Amount::credits),
            reason: self.reason.into(),
        }))
    }

    fn reply<'a>(done: &'a Outcome) -> Option<ForgivenResponse<'a>> {
        done.find(|event| {
            let Event::Credits(CreditsEvent::DebtForgiven { amount, reason, .. }) = event else {
                return None;
            };
            let (balance, position) = (done.balance()?, Token::of(done.position));
            Some(ForgivenResponse { amount: *amount, reason, balance, position })
        })
    }
}

/// Forgive debt
#[utoipa::path(
    post, path = "/v1/accounts/{account}/debt/forgive", operation_id = "forgive_debt", tag = "Operating",
    params(("account" = Id, Path)), request_body = ForgiveRequest,
    responses((status = 200, description = "Forgiven.", body = ForgivenResponse), Problems<(NothingOwed, DebtSmaller)>)
)]
pub async fn forgive(call: CommandCall<ForgiveRequest>) -> CallResult {
    call.execute().await
}
