//! The route that opens an account.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{Response, StatusCode},
};

use crate::{
    auth::keys::Caller,
    domain::{
        account::Account,
        command::Command,
        event::{AccountEvent, Event},
        ids::AccountId,
        metadata::Metadata,
        refusal::Refusal,
    },
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{AccountClosed, AccountDamaged, OutcomeUnknown, Unavailable},
        request::{AccountOf, Deducts, JsonOrNothing, Pairs, RequestId, provenance},
        schema::Id,
    },
    ledger::{IdempotencyKey, Outcome, Request},
    queries::account_now,
};

use super::{
    documents::{AccountResponse, AccountStatus},
    inputs::AccountRequest,
    order::CommandReply,
};

/// An account that has just been opened.
static NOTHING_ATTACHED: Metadata = Metadata::new();

/// Open an account
///
/// It is on the free plan from then on, with what that plan gives. Opening an account that is open changes nothing but
/// its `metadata`, where that is given: it is replaced as a whole. What the account is now is answered.
#[utoipa::path(
    put, path = "/v1/accounts/{account}", operation_id = "open_account", tag = "Accounts",
    params(("account" = Id, Path)), request_body = Option<AccountRequest>,
    responses(
        (status = 201, description = "Opened.", body = AccountResponse),
        (status = 200, description = "It was open already.", body = AccountResponse),
        Problems<(AccountClosed, Unavailable, OutcomeUnknown, AccountDamaged)>,
    )
)]
pub async fn put(
    State(state): State<AppState>,
    to: AccountOf<Deducts>,
    JsonOrNothing(input): JsonOrNothing<AccountRequest>,
) -> Result<Response<Body>, Failure> {
    open(&state, to.account, input, &to.caller, &to.request_id).await.map(CommandReply::into_response)
}

/// # Errors
/// When the account is closed, or the ledger does not take commands.
pub async fn open(
    state: &AppState,
    account: AccountId,
    input: AccountRequest,
    caller: &Arc<Caller>,
    request_id: &RequestId,
) -> Result<CommandReply, Failure> {
    let request = Request {
        account: account.clone(),
        command: Command::OpenAccount,
        key: IdempotencyKey::opening(),
        provenance: provenance(caller, request_id),
    };
    let provenance = request.provenance.clone();
    let outcome = state.ledger.execute(request).await?;
    let status = if outcome.replayed { StatusCode::OK } else { StatusCode::CREATED };
    if let Some(Pairs(metadata)) = input.metadata {
        // What it says is all that there is then, so it needs no key to be repeated.
        let (command, key) = (Command::SetMetadata { metadata }, IdempotencyKey::none());
        let request = Request { account: account.clone(), command, key, provenance };
        state.ledger.execute(request).await?;
        return current(state, &account, status).await;
    }
    match opened(&account, &outcome) {
        Some(document) if !outcome.replayed => done(status, &document),
        Some(_) | None => current(state, &account, StatusCode::OK).await,
    }
}

/// The account as its opening left it.
fn opened<'a>(account: &'a AccountId, outcome: &'a Outcome) -> Option<AccountResponse<'a>> {
    let plan = outcome.events.iter().find_map(|recorded| {
        let Event::Account(AccountEvent::AccountOpened { plan, .. }) = &recorded.event else {
            return None;
        };
        Some(plan)
    })?;
    Some(AccountResponse {
        account,
        plan,
        status: AccountStatus::Open,
        balance: outcome.balance()?,
        metadata: &NOTHING_ATTACHED,
        position: Token::of(outcome.position),
    })
}

async fn current(state: &AppState, account: &AccountId, status: StatusCode) -> Result<CommandReply, Failure> {
    let now = account_now(&state.ledger, account).await?;
    match &now.account {
        Account::Unopened => Err(Failure::unexpected("an account that was opened is not there")),
        Account::Closed(_) => Err(Refusal::AccountClosed.into()),
        Account::Open(open) => {
            let document = AccountResponse {
                account,
                plan: open.plan(now.at, state.ledger.catalog()),
                status: AccountStatus::Open,
                balance: now.account.balance(now.at),
                metadata: &open.metadata,
                position: Token::of(now.position),
            };
            done(status, &document)
        }
    }
}

fn done(status: StatusCode, document: &AccountResponse<'_>) -> Result<CommandReply, Failure> {
    let body = serde_json::to_vec(document).map_err(Failure::fault)?;
    Ok(CommandReply { status, replayed: false, body })
}
