//! How are many commands sent in one request? Each succeeds or is refused by itself.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc};

use axum::{
    body::Body,
    extract::{FromRequest, Request, State},
    http::{Response, StatusCode, request::Parts},
};
use bytes::Bytes;
use futures::future::join_all;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    auth::{
        keys::Caller,
        rate_limit::{RateLimitState, TooMany},
    },
    domain::{ids::AccountId, time::Timestamp},
    http::{
        AppState,
        failure::Failure,
        openapi::{Input, Inputs, KeyRule},
        passed_on::{self, Passable, Passed},
        problem,
        problems::{AccessError, RequestError},
        request::{
            BATCH_BYTES_MAX, Commands, Need, RequestId, Several, check_key, key_missing, parse, read,
            require_json, word,
        },
    },
    instances::Instance,
    ledger::ExecuteError,
};

use super::{
    CommandName,
    batch_schema::{BatchRequest, BatchResponse},
    call::{Callable, CommandSubject, Target},
    item::{CommandItem, ItemHead},
    reply::{self, CommandReply},
};

use ItemAnswer::{Elsewhere, Here};

/// The most commands in one request.
pub const BATCH_COMMANDS_MAX: usize = 1_000;

/// The body of a batch, which is parsed command by command, and what it came with.
pub struct BatchBody(Parts, Bytes);

impl<S: Send + Sync> FromRequest<S> for BatchBody {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        require_json(request.headers())?;
        let (parts, body) = request.into_parts();
        let bytes = read(Request::from_parts(parts.clone(), body), BATCH_BYTES_MAX).await?;
        Ok(Self(parts, bytes))
    }
}

impl Input for BatchBody {
    const INPUTS: Inputs = Inputs { json: true, ..Inputs::NONE };
}

/// Execute many commands
///
/// Up to 1,000 commands, for any accounts.
/// They run concurrently: a command that depends on another one belongs in a later request.
/// Each item has the fields of the command's own route, and `account`, `command`, `idempotency_key`, and, if it is
/// about a hold, `hold_id`.
/// The answers are in the order of the items, each with the status and body that its own route would have.
/// Each command counts as a request against the key's rate limit.
#[utoipa::path(
    post, path = "/v1/commands", operation_id = "execute_commands", tag = "Spending",
    request_body = BatchRequest,
    responses((status = 200, description = "An answer for each command, in order.", body = BatchResponse))
)]
pub async fn execute(
    State(state): State<AppState>,
    from: Several<Commands>,
    BatchBody(parts, bytes): BatchBody,
) -> Result<Response<Body>, Failure> {
    let items: Vec<&RawValue> = parse_items(&bytes)?;
    let standing = count(&from.caller, items.len())?;
    let until = passed_on::until(&parts.headers);
    if until.is_some_and(|until| until < state.ledger.clock().now()) {
        return Ok(passed_on::late());
    }
    let sender =
        Sender { state: &state, caller: &from.caller, request_id: &from.request_id, until, perhaps: false };
    let passable = Passable { state: &state, parts: &parts, request_id: &from.request_id };
    let BatchParts { here, elsewhere } = divide(passable, &items);
    let elsewhere = elsewhere.into_values().map(|(writer, part)| pass_on(passable, writer, part, sender));
    let (here, elsewhere) = tokio::join!(perform_all(sender, here), join_all(elsewhere));
    let answers: BTreeMap<usize, ItemAnswer> =
        here.into_iter().chain(elsewhere.into_iter().flatten()).collect();
    let mut body = Vec::with_capacity(answers.len().saturating_mul(320));
    body.push(b'[');
    for (index, answer) in &answers {
        if *index > 0 {
            body.push(b',');
        }
        let answer = match answer {
            Elsewhere(answer) => {
                body.extend_from_slice(answer.get().as_bytes());
                continue;
            }
            Here(answer) => answer,
        };
        if let Some((error, unsaid)) = answer.as_ref().err().and_then(|failure| state.outages.line(failure)) {
            let request_id = from.request_id.as_str();
            tracing::error!(request_id, index, error, unsaid, "a command of a batch failed");
        }
        write(&mut body, answer);
    }
    body.push(b']');
    let mut response = reply::send(Response::new(body));
    standing.into_iter().for_each(|standing| drop(response.extensions_mut().insert(standing)));
    Ok(response)
}

/// The answer to a command of a batch.
enum ItemAnswer {
    Here(Result<CommandReply, Failure>),
    /// As another instance has written it.
    Elsewhere(Box<RawValue>),
}

/// Commands of a batch, with their places in it.
type NumberedItems<'a> = Vec<(usize, &'a RawValue)>;

/// Who executes which commands of a batch.
#[derive(Default)]
struct BatchParts<'a> {
    here: NumberedItems<'a>,
    /// By the address of the instance that writes their accounts.
    elsewhere: BTreeMap<String, (Arc<Instance>, NumberedItems<'a>)>,
}

/// The part of an item that says who writes it.
#[derive(Deserialize)]
struct ItemAccount {
    account: AccountId,
}

fn divide<'a>(passable: Passable<'_>, items: &[&'a RawValue]) -> BatchParts<'a> {
    let are_several = passable.state.instances.are_several();
    let mut parts = BatchParts::default();
    for (index, item) in items.iter().copied().enumerate() {
        let writer = || {
            let ItemAccount { account } = serde_json::from_str(item.get()).ok()?;
            passable.writer(&account)
        };
        let part = match are_several.then(writer).flatten() {
            None => &mut parts.here,
            Some(writer) => {
                &mut parts.elsewhere.entry(writer.address.clone()).or_insert_with(|| (writer, Vec::new())).1
            }
        };
        part.push((index, item));
    }
    parts
}

async fn perform_all(from: Sender<'_>, items: NumberedItems<'_>) -> Vec<(usize, ItemAnswer)> {
    let performed = items.into_iter().map(async |(index, item)| {
        let answer = perform(from, item.get().as_bytes()).await;
        (index, Here(answer))
    });
    join_all(performed).await
}

/// Sends another instance the commands of the accounts that it writes. They are executed here if it does not answer.
async fn pass_on(
    passable: Passable<'_>,
    writer: Arc<Instance>,
    items: NumberedItems<'_>,
    from: Sender<'_>,
) -> Vec<(usize, ItemAnswer)> {
    let bodies: Vec<&RawValue> = items.iter().map(|(_, item)| *item).collect();
    let Ok(body) = serde_json::to_vec(&bodies) else { return perform_all(from, items).await };
    let answers: Option<Vec<Box<RawValue>>> = match passable.pass_on(&writer, body.into()).await {
        // Refused as a whole, so that nothing of it was executed.
        Passed::Answered(answer) if answer.status != StatusCode::OK => return perform_all(from, items).await,
        Passed::NotTaken => return perform_all(from, items).await,
        Passed::Answered(answer) => serde_json::from_slice(&answer.body).ok(),
        Passed::Unknown => None,
    };
    match answers.filter(|answers| answers.len() == items.len()) {
        Some(answers) => {
            let answers = answers.into_iter().map(Elsewhere);
            items.into_iter().map(|(index, _)| index).zip(answers).collect()
        }
        // It may execute them yet.
        None => perform_all(Sender { perhaps: true, ..from }, items).await,
    }
}

/// Counts the commands of a batch against the rate limit. One of them was counted with the request.
fn count(caller: &Caller, commands: usize) -> Result<Option<RateLimitState>, Failure> {
    let more = u32::try_from(commands).ok().and_then(|commands| NonZeroU32::new(commands.saturating_sub(1)));
    let Some(more) = more else { return Ok(None) };
    if let Some(per_minute) =
        caller.rate.as_ref().map(|rate| rate.per_minute()).filter(|most| *most <= more.get())
    {
        let expected =
            format!("the key may send at most {per_minute} commands a minute: send fewer in one batch");
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

/// The part of an item that says how to parse the rest.
#[derive(Deserialize)]
struct Tag {
    #[serde(deserialize_with = "word")]
    command: CommandName,
}

/// Who sent a batch.
#[derive(Clone, Copy)]
pub struct Sender<'a> {
    state: &'a AppState,
    caller: &'a Arc<Caller>,
    request_id: &'a RequestId,
    /// Until when the commands may be executed, if another instance has passed them on.
    until: Option<Timestamp>,
    /// Whether another instance may execute them yet.
    perhaps: bool,
}

/// Checks the scope of the command's own route, before anything else of the item is parsed.
///
/// # Errors
/// If the item cannot be parsed, is refused or cannot be executed.
pub async fn execute_item<C: Callable>(from: Sender<'_>, item: &[u8]) -> Result<CommandReply, Failure> {
    let Sender { state, caller, request_id, until, perhaps } = from;
    if perhaps && C::KEY == KeyRule::None {
        return Err(ExecuteError::OutcomeUnknown.into());
    }
    if !caller.may(C::Scope::SCOPES) {
        return Err(AccessError::ScopeMissing(C::Scope::SCOPES).into());
    }
    let CommandItem { mut head, fields }: CommandItem<C> = parse(item, "$")?;
    let subject = C::Subject::of_item(&mut head)?;
    let account = account_of(caller, &head)?;
    let key = match C::KEY {
        KeyRule::None => String::new(),
        KeyRule::Required | KeyRule::OrOwnId => key_of(head, fields.own_key(), C::KEY)?,
    };
    let target = Target { state, caller, request_id, account: &account, key: &key, until };
    let answer = fields.execute(subject, target).await;
    if perhaps { passed_on::not_final(answer) } else { answer }
}

fn account_of(caller: &Caller, head: &ItemHead) -> Result<AccountId, Failure> {
    let account = head.account.clone();
    let account = account.ok_or_else(|| Failure::body("$.account", "missing field `account`"))?;
    if head.hold_id.is_some() {
        return Err(Failure::body("$.hold_id", "unknown field `hold_id` for this command"));
    }
    if caller.may_use(&account) { Ok(account) } else { Err(AccessError::AccountNotAllowed.into()) }
}

fn key_of(head: ItemHead, other: Option<String>, rule: KeyRule) -> Result<String, Failure> {
    let key = head.idempotency_key.or(other).ok_or_else(|| key_missing(rule))?;
    if check_key(&key) {
        return Ok(key);
    }
    Err(Failure::body("$.idempotency_key", "a key has 1 to 255 visible ASCII characters"))
}

async fn perform(from: Sender<'_>, item: &[u8]) -> Result<CommandReply, Failure> {
    let Tag { command } = parse(item, "$")?;
    command.execute(from, item).await
}

/// Writes `{"status": …, "body": …}`, and whether it is a repetition.
fn write(body: &mut Vec<u8>, answer: &Result<CommandReply, Failure>) {
    let (status, replayed, bytes) = match answer {
        Ok(reply) => (reply.status(), reply::is_replayed(reply), std::borrow::Cow::Borrowed(reply.body())),
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
