//! The route that opens an account as it was elsewhere.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{Response, StatusCode},
};

use crate::{
    auth::keys::Caller,
    domain::{
        event::{AccountEvent, Event},
        ids::AccountId,
        metadata::Metadata,
        moving::ImportAccount,
        refusal::Refusal,
    },
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{AccountAlreadyOpen, CustomerTaken, GrantAlreadyExists, GrantHasEnded, UnknownPlan},
        request::{AccountOf, Json, Operates, RequestId, provenance},
        schema::Id,
    },
    ledger::{ExecuteError, Outcome},
    stripe::account_import,
};

use super::{
    documents::{AccountResponse, AccountStatus},
    import_request::AccountImport,
    order::CommandReply,
};

/// Open an account as it was elsewhere
///
/// It has what is sent and nothing else: no credits for the sign-up. An account is imported once, so that the same
/// again changes nothing and is answered the same; another import of an account that is there is refused. What was paid
/// for at Stripe before `as_of` gives nothing here, however late it is told: what is left of it is among `grants`.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/import", operation_id = "import_account", tag = "Operating",
    params(("account" = Id, Path)), request_body = AccountImport,
    responses(
        (status = 201, description = "Opened.", body = AccountResponse),
        (status = 200, description = "It was imported so already.", body = AccountResponse),
        Problems<(AccountAlreadyOpen, CustomerTaken, GrantAlreadyExists, GrantHasEnded, UnknownPlan)>,
    )
)]
pub async fn import(
    State(state): State<AppState>,
    to: AccountOf<Operates>,
    Json(input): Json<AccountImport>,
) -> Result<Response<Body>, Failure> {
    perform(&state, to.account, input, &to.caller, &to.request_id).await.map(CommandReply::into_response)
}

/// # Errors
/// When something is wrong with what is sent, the account is there already and is another one, or the ledger does not
/// take commands.
pub async fn perform(
    state: &AppState,
    account: AccountId,
    input: AccountImport,
    caller: &Arc<Caller>,
    request_id: &RequestId,
) -> Result<CommandReply, Failure> {
    let import = input.into_import()?;
    let places = (&state.ledger, &state.inbox);
    let imported =
        account_import::import(places, account.clone(), import.clone(), provenance(caller, request_id))
            .await?;
    let outcome = imported.map_err(|error| {
        // The key is the import's own, so what was reused is the account.
        let is_another = error == ExecuteError::KeyReused;
        if is_another { Failure::from(Refusal::AccountAlreadyOpen) } else { Failure::from(error) }
    })?;
    answer(&account, &import, &outcome)
}

/// The account as the import left it.
fn answer(account: &AccountId, import: &ImportAccount, outcome: &Outcome) -> Result<CommandReply, Failure> {
    let missing = || Failure::unexpected("an import's outcome lacks its event");
    let plan = outcome.events.iter().find_map(|recorded| {
        let Event::Account(AccountEvent::AccountOpened { plan, .. }) = &recorded.event else {
            return None;
        };
        Some(plan)
    });
    let metadata: &Metadata = &import.metadata;
    let document = AccountResponse {
        account,
        plan: plan.ok_or_else(missing)?,
        status: AccountStatus::Open,
        balance: outcome.balance().ok_or_else(missing)?,
        metadata,
        position: Token::of(outcome.position),
    };
    let status = if outcome.replayed { StatusCode::OK } else { StatusCode::CREATED };
    let body = serde_json::to_vec(&document).map_err(Failure::fault)?;
    Ok(CommandReply { status, replayed: false, body })
}
