//! One command that is ready to be executed, and the answer to it.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};

use crate::{
    auth::keys::Caller,
    domain::{command::Command, ids::AccountId, refusal::Refusal},
    http::{
        AppState,
        failure::Failure,
        request::{RequestId, provenance},
    },
    ledger::{ExecuteError, IdempotencyKey, Request},
};

use super::answer;

pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What was asked for, which says how it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandKind {
    Close,
    Deduct,
    Generate,
    Hold,
    Commit,
    Release,
    Extend,
    Refund,
    Grant,
    Adjust,
    Forgive,
}

impl CommandKind {
    /// The name in metrics and in batches.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Deduct => "deduct",
            Self::Generate => "generate",
            Self::Hold => "hold",
            Self::Commit => "commit",
            Self::Release => "release",
            Self::Extend => "extend",
            Self::Refund => "refund",
            Self::Grant => "grant",
            Self::Adjust => "adjust",
            Self::Forgive => "forgive",
        }
    }
}

#[derive(Clone, Debug)]
pub struct CommandCall {
    pub kind: CommandKind,
    pub account: AccountId,
    /// As the caller sent it, or as it follows from what the command is about.
    pub key: String,
    pub command: Command,
}

/// What was done, as it is written to the caller.
#[derive(Debug)]
pub struct CommandReply {
    pub status: StatusCode,
    pub replayed: bool,
    /// JSON.
    pub body: Vec<u8>,
}

impl CommandCall {
    /// Executes the command, and answers from its events alone, so that a repetition is answered the same.
    ///
    /// # Errors
    /// When it is refused or cannot be executed.
    pub async fn perform(
        self,
        state: &AppState,
        caller: &Arc<Caller>,
        request_id: &RequestId,
    ) -> Result<CommandReply, Failure> {
        let kind = self.kind;
        let request = Request {
            account: self.account.clone(),
            command: self.command,
            key: IdempotencyKey::caller(&self.key),
            provenance: provenance(caller, request_id),
        };
        let done = match state.ledger.execute(request).await {
            Ok(outcome) => answer::write(kind, &outcome),
            Err(ExecuteError::Refused(refusal)) => {
                Err(Failure::from(offering(state, &self.account, refusal)))
            }
            Err(error) => Err(Failure::from(error)),
        };
        count(kind, &done);
        done
    }
}

/// What would help is told to whoever can buy it.
#[must_use]
pub fn offering(state: &AppState, account: &AccountId, refusal: Refusal) -> Refusal {
    if state.billing.state_of(account).is_on() { refusal } else { refusal.without_offers() }
}

impl CommandReply {
    #[must_use]
    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        if self.replayed {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

fn count(kind: CommandKind, done: &Result<CommandReply, Failure>) {
    let outcome = match done {
        Ok(CommandReply { replayed: true, .. }) => "replayed",
        Ok(_) => "done",
        Err(failure) => failure.code().name,
    };
    metrics::counter!("counterfoil_commands_total", "command" => kind.as_str(), "outcome" => outcome)
        .increment(1);
}
