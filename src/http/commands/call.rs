//! How is a command executed? In the same way from its own route and from a batch.

use std::{convert::Infallible, future::Future, marker::PhantomData, sync::Arc};

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Request as HttpRequest},
    http::{Response, StatusCode, request::Parts},
};
use serde::{Serialize, de::DeserializeOwned};
use utoipa::PartialSchema;

use crate::{
    auth::keys::Caller,
    domain::{
        command::Command,
        ids::{AccountId, HoldId},
        refusal::Refusal,
        time::Timestamp,
    },
    http::{
        AppState,
        failure::Failure,
        openapi::{Input, Inputs, KeyRule},
        passed_on::{self, OthersAnswer, Passable, Passed},
        request::{
            AccountOf, BODY_BYTES_MAX, IdempotencyHeader, Need, RequestId, parameter, provenance, read,
            read_json,
        },
    },
    ledger::{ExecuteError, IdempotencyKey, Outcome, Request},
};

use super::{
    item::ItemHead,
    reply::{self, CommandReply},
};

/// The body of a command, which has its name from the table of commands.
pub trait NamedCommand {
    /// Its name in batches and metrics.
    const NAME: &'static str;
}

/// The body of a command that the ledger executes.
pub trait ApiCommand: NamedCommand + DeserializeOwned + PartialSchema + Send + 'static {
    /// The status of the answer if it succeeded.
    const STATUS: StatusCode;
    const KEY: KeyRule = KeyRule::Required;
    type Scope: Need;
    /// What it is about within the account.
    type Subject: CommandSubject;
    type Reply<'a>: Serialize;

    /// Its name in metrics, if it has more than one.
    fn name(&self) -> &'static str {
        Self::NAME
    }

    /// The command that an empty body means. `None`: a body is needed.
    fn nothing() -> Option<Self> {
        None
    }

    /// The idempotency key that follows from the command itself, if the request has none.
    fn own_key(&self) -> Option<String> {
        None
    }

    fn command(
        self,
        subject: Self::Subject,
        to: Target<'_>,
    ) -> impl Future<Output = Result<Command, Failure>> + Send;

    /// The answer. `None`: the outcome lacks an event that the rules always write.
    fn reply<'a>(done: &'a Outcome) -> Option<Self::Reply<'a>>;
}

/// The body of a command that can be sent to its own route and in a batch: every [`ApiCommand`], and commands that are
/// executed in their own way.
pub trait Callable: DeserializeOwned + PartialSchema + Send + 'static {
    const KEY: KeyRule;
    type Scope: Need;
    type Subject: CommandSubject;

    fn nothing() -> Option<Self>;

    fn own_key(&self) -> Option<String> {
        None
    }

    fn execute(
        self,
        subject: Self::Subject,
        to: Target<'_>,
    ) -> impl Future<Output = Result<CommandReply, Failure>> + Send;
}

/// For whom a command is executed, and on what.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub state: &'a AppState,
    pub caller: &'a Arc<Caller>,
    pub request_id: &'a RequestId,
    pub account: &'a AccountId,
    /// As the caller sent it, or as it follows from the command. Empty if none is needed.
    pub key: &'a str,
    /// Until when it may be executed, if another instance has passed it on.
    pub until: Option<Timestamp>,
}

impl<C: ApiCommand> Callable for C {
    const KEY: KeyRule = <C as ApiCommand>::KEY;
    type Scope = <C as ApiCommand>::Scope;
    type Subject = <C as ApiCommand>::Subject;

    fn nothing() -> Option<Self> {
        <C as ApiCommand>::nothing()
    }

    fn own_key(&self) -> Option<String> {
        ApiCommand::own_key(self)
    }

    /// Executes the command. The answer depends only on its events, so that a repetition is answered the same.
    async fn execute(self, subject: Self::Subject, to: Target<'_>) -> Result<CommandReply, Failure> {
        let name = self.name();
        let command = self.command(subject, to).await?;
        let (key, provenance) = (IdempotencyKey::caller(to.key), provenance(to.caller, to.request_id));
        let request = Request::new(to.account.clone(), command, key, provenance).until(to.until);
        let done = match to.state.ledger.execute(request).await {
            Ok(outcome) => reply_to::<C>(&outcome),
            Err(ExecuteError::Refused(refusal)) => Err(offering(to.state, to.account, refusal).into()),
            Err(error) => Err(error.into()),
        };
        count(name, &done);
        done
    }
}

/// The answer to a command with this outcome.
fn reply_to<C: ApiCommand>(outcome: &Outcome) -> Result<CommandReply, Failure> {
    let missing = || Failure::unexpected("a command's outcome lacks its event");
    reply::write(C::STATUS, outcome.replayed, &C::reply(outcome).ok_or_else(missing)?)
}

/// Leaves plans that would help out of a refusal if the account cannot buy them.
#[must_use]
pub fn offering(state: &AppState, account: &AccountId, refusal: Refusal) -> Refusal {
    if state.billing.state_of(account).is_on() { refusal } else { refusal.without_offers() }
}

fn count(name: &'static str, done: &Result<CommandReply, Failure>) {
    let outcome = match done {
        Ok(reply) if reply::is_replayed(reply) => "replayed",
        Ok(_) => "done",
        Err(failure) => failure.code().name,
    };
    metrics::counter!("counterfoil_commands_total", "command" => name, "outcome" => outcome).increment(1);
}

/// What a command is about within its account: the account itself, or a hold.
pub trait CommandSubject: Sized + Send {
    fn of_path(parts: &mut Parts, state: &AppState) -> impl Future<Output = Result<Self, Failure>> + Send;

    /// Takes the subject from an item of a batch.
    ///
    /// # Errors
    /// If the item lacks it.
    fn of_item(head: &mut ItemHead) -> Result<Self, Failure>;
}

impl CommandSubject for () {
    async fn of_path(_: &mut Parts, _: &AppState) -> Result<Self, Failure> {
        Ok(())
    }

    fn of_item(_: &mut ItemHead) -> Result<Self, Failure> {
        Ok(())
    }
}

impl CommandSubject for HoldId {
    async fn of_path(parts: &mut Parts, state: &AppState) -> Result<Self, Failure> {
        let text = parameter(parts, state, "hold").await?;
        Self::parse(&text).map_err(|error| Failure::address("hold", error.to_string()))
    }

    fn of_item(head: &mut ItemHead) -> Result<Self, Failure> {
        head.hold_id.take().ok_or_else(|| Failure::body("$.hold_id", "missing field `hold_id`"))
    }
}

/// A command that was sent to its own route, and has not been parsed yet.
pub struct CommandCall<C> {
    state: AppState,
    request: HttpRequest,
    command: PhantomData<fn() -> C>,
}

/// What a command's handler returns.
pub type CallResult = Result<Response<Body>, Failure>;

impl<C: Callable> CommandCall<C> {
    /// Parses, in this order, who asks, the account, the key and the body, and executes the command.
    ///
    /// # Errors
    /// If it cannot be parsed, is refused or cannot be executed.
    pub async fn execute(self) -> CallResult {
        let Self { state, request, .. } = self;
        let (mut parts, body) = request.into_parts();
        let to: AccountOf<C::Scope> = AccountOf::from_request_parts(&mut parts, &state).await?;
        let subject = C::Subject::of_path(&mut parts, &state).await?;
        let key = match C::KEY {
            KeyRule::None => None,
            KeyRule::Required | KeyRule::OrOwnId => {
                Some(IdempotencyHeader::from_request_parts(&mut parts, &state).await?)
            }
        };
        let request = HttpRequest::from_parts(parts, body);
        let until = passed_on::until(request.headers());
        if until.is_some_and(|until| until < state.ledger.clock().now()) {
            return Ok(passed_on::late());
        }
        let (request, may_be_executed) = match elsewhere(&state, &to, request).await? {
            Elsewhere::Answered(answer) => return Ok(answer.into_response()),
            // Without a key, it could take effect here and, later, there.
            Elsewhere::Perhaps(_) if C::KEY == KeyRule::None => {
                return Err(ExecuteError::OutcomeUnknown.into());
            }
            Elsewhere::Perhaps(request) => (request, true),
            Elsewhere::Not(request) => (request, false),
        };
        let body = read_json(request, C::nothing()).await?;
        let key = key.map(|key| key.or(body.own_key(), C::KEY)).transpose()?.unwrap_or_default();
        let AccountOf { account, caller, request_id, .. } = &to;
        let target = Target { state: &state, caller, request_id, account, key: &key, until };
        let answer = body.execute(subject, target).await.map(reply::send);
        if may_be_executed { passed_on::not_final(answer) } else { answer }
    }
}

/// Whether another instance has executed a command.
enum Elsewhere {
    Answered(OthersAnswer),
    /// The other instance may execute it yet.
    Perhaps(HttpRequest),
    Not(HttpRequest),
}

/// Passes a command on to the instance that writes its account, if that is another one.
async fn elsewhere<S>(
    state: &AppState,
    to: &AccountOf<S>,
    request: HttpRequest,
) -> Result<Elsewhere, Failure> {
    let (parts, body) = request.into_parts();
    let passable = Passable { state, parts: &parts, request_id: &to.request_id };
    let Some(writer) = passable.writer(&to.account) else {
        return Ok(Elsewhere::Not(HttpRequest::from_parts(parts, body)));
    };
    let bytes = read(HttpRequest::from_parts(parts.clone(), body), BODY_BYTES_MAX).await?;
    let passed = passable.pass_on(&writer, bytes.clone()).await;
    let request = HttpRequest::from_parts(parts, Body::from(bytes));
    Ok(match passed {
        Passed::Answered(answer) => Elsewhere::Answered(answer),
        Passed::Unknown => Elsewhere::Perhaps(request),
        Passed::NotTaken => Elsewhere::Not(request),
    })
}

impl<C: Callable> Input for CommandCall<C> {
    const INPUTS: Inputs = Inputs { scopes: C::Scope::SCOPES, key: C::KEY, json: true };
}

impl<C: Callable> FromRequest<AppState> for CommandCall<C> {
    type Rejection = Infallible;

    async fn from_request(request: HttpRequest, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self { state: state.clone(), request, command: PhantomData })
    }
}
