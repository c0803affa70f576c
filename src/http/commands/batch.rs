//! Many commands in one request: each succeeds or is refused on its own.

use std::{num::NonZeroU32, sync::Arc};

use axum::{
    body::Body,
    extract::{FromRequest, Request, State},
    http::Response,
};
use bytes::Bytes;
use futures::future::join_all;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{
    auth::{
        keys::{Caller, KeyScope},
        rate_limit::{RateLimitState, TooMany},
    },
    domain::{
        command::Command,
        ids::{AccountId, HoldId},
    },
    http::{
        AppState,
        failure::Failure,
        openapi::{Input, Inputs},
        problem,
        problems::{AccessError, RequestError},
        request::{
            BATCH_BYTES_MAX, Commands, Deducts, Need, Operates, RequestId, Several, check_key, parse, read,
            require_json,
        },
        schema::{BatchRequest, BatchResponse},
    },
};

use super::{
    accounts,
    import_request::AccountImport,
    imports,
    inputs::{
        AccountRequest, AdjustRequest, CloseRequest, CommitRequest, DeductRequest, EmptyRequest,
        ExtendRequest, ForgiveRequest, GenerationRequest, GrantRequest, HoldRequest, RefundRequest,
    },
    item::{CommandItem, ItemHead, Name, Tag},
    order::{CommandCall, CommandKind, CommandReply},
    refunds,
};

/// How many commands one request may have.
pub const BATCH_COMMANDS_MAX: usize = 1_000;

/// The body of a batch, which is read command by command.
pub struct BatchBody(Bytes);

impl<S: Send + Sync> FromRequest<S> for BatchBody {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        require_json(request.headers())?;
        Ok(Self(read(request, BATCH_BYTES_MAX).await?))
    }
}

impl Input for BatchBody {
    const INPUTS: Inputs = Inputs { json: true, ..Inputs::NONE };
}

/// Execute many commands
///
/// Up to 1,000, for any accounts. They run side by side: what must come after something else belongs into a later
/// request. Each item has the fields that the command's own route takes, and `account`, `command`,
/// `idempotency_key`, and `hold_id` where it is about a hold. The answers come in the order of the items, each
/// with the status and body that its own route would have answered. Against the key's rate, each command counts as a
/// request.
#[utoipa::path(
    post, path = "/v1/commands", operation_id = "execute_commands", tag = "Spending",
    request_body = BatchRequest,
    responses((status = 200, description = "An answer for each command, in order.", body = BatchResponse))
)]
pub async fn execute(
    State(state): State<AppState>,
    from: Several<Commands>,
    BatchBody(bytes): BatchBody,
) -> Result<Response<Body>, Failure> {
    let items: Vec<&RawValue> = parse_items(&bytes)?;
    let standing = count(&from.caller, items.len())?;
    let answers = items.iter().map(|item| perform(&state, &from.caller, &from.request_id, item.get()));
    let answers = join_all(answers).await;
    let mut body = Vec::with_capacity(answers.len().saturating_mul(320));
    body.push(b'[');
    for (index, answer) in answers.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        if let Some((error, unsaid)) = answer.as_ref().err().and_then(|failure| state.outages.line(failure)) {
            let request_id = from.request_id.as_str();
            tracing::error!(request_id, index, error, unsaid, "a command of a batch failed");
        }
        write(&mut body, answer);
    }
    body.push(b']');
    let mut response =
        CommandReply { status: axum::http::StatusCode::OK, replayed: false, body }.into_response();
    standing.into_iter().for_each(|standing| drop(response.extensions_mut().insert(standing)));
    Ok(response)
}

/// Counts a batch as its commands, of which the request itself was one.
fn count(caller: &Caller, commands: usize) -> Result<Option<RateLimitState>, Failure> {
    let more = u32::try_from(commands).ok().and_then(|commands| NonZeroU32::new(commands.saturating_sub(1)));
    let Some(more) = more else { return Ok(None) };
    if let Some(per_minute) =
        caller.rate.as_ref().map(|rate| rate.per_minute()).filter(|most| *most <= more.get())
    {
        let expected = format!("the key may send {per_minute} commands a minute: send fewer at once");
        return Err(Failure::body("$", expected));
    }
    Ok(caller
        .count(more)
        .map_err(|TooMany(standing)| AccessError::RateLimited { wait_s: standing.wait_s })?)
}

fn parse_items(bytes: &[u8]) -> Result<Vec<&RawValue>, Failure> {
    let items: Vec<&RawValue> = serde_json::from_slice(bytes).map_err(|error| {
        if error.is_data() {
            Failure::body("$", "an array of commands is expected")
        } else {
            RequestError::InvalidJson(error.to_string()).into()
        }
    })?;
    if items.len() > BATCH_COMMANDS_MAX {
        return Err(Failure::body(
            "$",
            format!("there are at most {BATCH_COMMANDS_MAX} commands in a batch"),
        ));
    }
    Ok(items)
}

async fn perform(
    state: &AppState,
    caller: &Arc<Caller>,
    request_id: &RequestId,
    item: &str,
) -> Result<CommandReply, Failure> {
    let bytes = item.as_bytes();
    let Tag { command } = parse(bytes, "$")?;
    check_scope(caller, command)?;
    let order = match command {
        Name::Open => {
            let CommandItem { head, fields }: CommandItem<AccountRequest> = parse(bytes, "$")?;
            let account = account_of(caller, &head)?;
            return accounts::open(state, account, fields, caller, request_id).await;
        }
        Name::Import => {
            let CommandItem { head, fields }: CommandItem<AccountImport> = parse(bytes, "$")?;
            let account = account_of(caller, &head)?;
            return imports::perform(state, account, fields, caller, request_id).await;
        }
        Name::Refund => {
            let CommandItem { head, fields }: CommandItem<RefundRequest> = parse(bytes, "$")?;
            let account = account_of(caller, &head)?;
            let key = key_of(head, None)?;
            let command = refunds::command(state, &account, fields).await?;
            CommandCall { kind: CommandKind::Refund, account, key, command }
        }
        Name::Generate => {
            let CommandItem { head, fields }: CommandItem<GenerationRequest> = parse(bytes, "$")?;
            let account = account_of(caller, &head)?;
            let key = key_of(head, fields.own_key())?;
            let kind = if fields.hold { CommandKind::Hold } else { CommandKind::Generate };
            CommandCall { kind, account, key, command: fields.into_command()? }
        }
        Name::Deduct => {
            plain(caller, bytes, CommandKind::Deduct, |it: DeductRequest, _| Ok(it.into_command()))?
        }
        Name::Hold => plain(caller, bytes, CommandKind::Hold, |it: HoldRequest, _| Ok(it.into_command()))?,
        Name::Grant => {
            plain(caller, bytes, CommandKind::Grant, |it: GrantRequest, key| it.into_command(key))?
        }
        Name::Adjust => {
            plain(caller, bytes, CommandKind::Adjust, |it: AdjustRequest, _| Ok(it.into_command()))?
        }
        Name::Forgive => {
            plain(caller, bytes, CommandKind::Forgive, |it: ForgiveRequest, _| Ok(it.into_command()))?
        }
        Name::Close => plain(caller, bytes, CommandKind::Close, |it: CloseRequest, _| Ok(it.into_command()))?,
        Name::Commit => {
            of_hold(caller, bytes, CommandKind::Commit, |it: CommitRequest, hold| it.into_command(hold))?
        }
        Name::Extend => {
            of_hold(caller, bytes, CommandKind::Extend, |it: ExtendRequest, hold| it.into_command(hold))?
        }
        Name::Release => of_hold(caller, bytes, CommandKind::Release, |_: EmptyRequest, hold_id| {
            Command::ReleaseHold { hold_id }
        })?,
    };
    order.perform(state, caller, request_id).await
}

fn plain<T: DeserializeOwned>(
    caller: &Caller,
    bytes: &[u8],
    kind: CommandKind,
    command: impl FnOnce(T, &str) -> Result<Command, Failure>,
) -> Result<CommandCall, Failure> {
    let CommandItem { head, fields } = parse(bytes, "$")?;
    let account = account_of(caller, &head)?;
    let key = key_of(head, None)?;
    let command = command(fields, &key)?;
    Ok(CommandCall { kind, account, key, command })
}

fn of_hold<T: DeserializeOwned>(
    caller: &Caller,
    bytes: &[u8],
    kind: CommandKind,
    command: impl FnOnce(T, HoldId) -> Command,
) -> Result<CommandCall, Failure> {
    let CommandItem { mut head, fields } = parse::<CommandItem<T>>(bytes, "$")?;
    let hold_id = head.hold_id.take().ok_or_else(|| Failure::body("$.hold_id", "missing field `hold_id`"))?;
    let account = account_of(caller, &head)?;
    let key = key_of(head, None)?;
    Ok(CommandCall { kind, account, key, command: command(fields, hold_id) })
}

fn account_of(caller: &Caller, head: &ItemHead) -> Result<AccountId, Failure> {
    let account = head.account.clone();
    let account = account.ok_or_else(|| Failure::body("$.account", "missing field `account`"))?;
    if head.hold_id.is_some() {
        return Err(Failure::body("$.hold_id", "unknown field `hold_id` for this command"));
    }
    if caller.may_use(&account) { Ok(account) } else { Err(AccessError::AccountNotAllowed.into()) }
}

fn key_of(head: ItemHead, other: Option<String>) -> Result<String, Failure> {
    let key = head.idempotency_key.or(other).ok_or(RequestError::IdempotencyKeyMissing)?;
    if check_key(&key) {
        return Ok(key);
    }
    Err(Failure::body("$.idempotency_key", "a key has 1 to 255 visible ASCII characters"))
}

/// The scope that the command's own route asks for.
fn check_scope(caller: &Caller, command: Name) -> Result<(), AccessError> {
    let needed: &'static [KeyScope] = match command {
        Name::Open
        | Name::Deduct
        | Name::Generate
        | Name::Hold
        | Name::Commit
        | Name::Release
        | Name::Extend
        | Name::Refund => Deducts::SCOPES,
        Name::Import | Name::Grant | Name::Adjust | Name::Forgive | Name::Close => Operates::SCOPES,
    };
    if caller.may(needed) { Ok(()) } else { Err(AccessError::ScopeMissing(needed)) }
}

/// Writes `{"status": …, "body": …}`, and that it is a repetition where it is one.
fn write(body: &mut Vec<u8>, answer: &Result<CommandReply, Failure>) {
    let (status, replayed, bytes) = match answer {
        Ok(done) => (done.status, done.replayed, std::borrow::Cow::Borrowed(&done.body)),
        Err(failure) => (failure.status(), false, std::borrow::Cow::Owned(problem::body(failure, None))),
    };
    body.extend_from_slice(b"{\"status\":");
    body.extend_from_slice(status.as_str().as_bytes());
    if replayed {
        body.extend_from_slice(b",\"idempotent_replayed\":true");
    }
    body.extend_from_slice(b",\"body\":");
    body.extend_from_slice(&bytes);
    body.push(b'}');
}
