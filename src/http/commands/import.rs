//! How is an account opened with what it had elsewhere?

use axum::http::StatusCode;

use crate::{
    domain::{
        event::{AccountEvent, Event},
        ids::AccountId,
        metadata::Metadata,
        moving::ImportAccount,
        refusal::Refusal,
    },
    http::{
        failure::Failure,
        openapi::{KeyRule, Problems},
        position::Token,
        problems::{AccountAlreadyOpen, CustomerTaken, GrantAlreadyExists, GrantHasEnded, UnknownPlan},
        request::{Operates, provenance},
        schema::Id,
    },
    ledger::{ExecuteError, Outcome},
    stripe::inbound::account_import,
};

use super::{
    account::{AccountResponse, AccountStatus},
    call::{CallResult, Callable, CommandCall, Target},
    reply::{self, CommandReply},
};

pub use super::import_request::AccountImport;

impl Callable for AccountImport {
    const KEY: KeyRule = KeyRule::None;
    type Scope = Operates;
    type Subject = ();

    fn nothing() -> Option<Self> {
        None
    }

    async fn execute(self, (): (), to: Target<'_>) -> Result<CommandReply, Failure> {
        let import = self.into_import()?;
        let places = (&to.state.ledger, &to.state.inbox);
        let provenance = provenance(to.caller, to.request_id);
        let imported = account_import::import(places, to.account.clone(), import.clone(), provenance).await?;
        let outcome = imported.map_err(|error| {
            // The key belongs to the import itself, so what is used already is the account.
            let is_another = error == ExecuteError::KeyReused;
            if is_another { Failure::from(Refusal::AccountAlreadyOpen) } else { Failure::from(error) }
        })?;
        answer(to.account, &import, &outcome)
    }
}

/// The account just after the import.
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
    reply::write(status, false, &document)
}

/// Import an account
///
/// The account gets what is sent and nothing else: no credits for signing up.
/// An account is imported once: the same import again changes nothing and has the same answer, and another import of an
/// existing account is refused.
/// What was paid at Stripe before `as_of` gives nothing here, however late it is reported: what is left of it must be
/// among `grants`.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/import", operation_id = "import_account", tag = "Operating",
    params(("account" = Id, Path)), request_body = AccountImport,
    responses(
        (status = 201, description = "Opened.", body = AccountResponse),
        (status = 200, description = "It was imported before, with the same state.", body = AccountResponse),
        Problems<(AccountAlreadyOpen, CustomerTaken, GrantAlreadyExists, GrantHasEnded, UnknownPlan)>,
    )
)]
pub async fn import(call: CommandCall<AccountImport>) -> CallResult {
    call.execute().await
}
