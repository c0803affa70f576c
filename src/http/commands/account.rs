//! How is an account opened, and shown?

use axum::{
    body::Body,
    extract::State,
    http::{Response, StatusCode},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        account::Account,
        command::{AccountCommand, Command},
        credits::Balance,
        event::{AccountEvent, Event},
        ids::{AccountId, PlanId},
        metadata::Metadata,
        refusal::Refusal,
        rollout::BillingState,
        time::Timestamp,
    },
    http::{
        AppState,
        failure::Failure,
        openapi::{KeyRule, Problems},
        position::Token,
        problems::{AccountClosed, AccountDamaged, AccountNotFound, OutcomeUnknown, Reading, Unavailable},
        request::{AccountOf, Deducts, Pairs, Query, Reads, provenance},
        response::fresh,
        schema::{BalanceSchema, Id, Place, Time},
        since::{SinceQuery, now},
    },
    ledger::{IdempotencyKey, Outcome, Request},
    projections::accounts,
    queries::account_now,
};

use super::{
    call::{CallResult, Callable, CommandCall, Target},
    reply::{self, CommandReply},
};

/// The metadata of an account that has just been opened without any.
static NOTHING_ATTACHED: Metadata = Metadata::new();

/// What the caller attaches to an account when it is opened, or later.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "metadata": { "source": "spring_mail" } }))]
pub struct AccountRequest {
    /// Replaces all of the account's metadata. If left out, it stays as it is.
    #[serde(default)]
    pub metadata: Option<Pairs>,
}

/// An account as it was when it was opened, or as it is now.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountResponse<'a> {
    #[schema(value_type = Id)]
    pub account: &'a AccountId,
    #[schema(value_type = Id)]
    pub plan: &'a PlanId,
    pub status: AccountStatus,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    /// As it was sent.
    #[schema(value_type = Pairs)]
    pub metadata: &'a Metadata,
    #[schema(value_type = Place)]
    pub position: Token,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    Open,
    Closed,
}

impl From<AccountStatus> for accounts::ListedStatus {
    fn from(status: AccountStatus) -> Self {
        match status {
            AccountStatus::Open => Self::Open,
            AccountStatus::Closed => Self::Closed,
        }
    }
}

impl Callable for AccountRequest {
    const KEY: KeyRule = KeyRule::None;
    type Scope = Deducts;
    type Subject = ();

    fn nothing() -> Option<Self> {
        Some(Self::default())
    }

    async fn execute(self, (): (), to: Target<'_>) -> Result<CommandReply, Failure> {
        let Target { state, account, .. } = to;
        let provenance = provenance(to.caller, to.request_id);
        let request = |command, key| {
            let (account, provenance) = (account.clone(), provenance.clone());
            Request::new(account, command, key, provenance).until(to.until)
        };
        let opening = request(Command::Account(AccountCommand::OpenAccount), IdempotencyKey::opening());
        let outcome = state.ledger.execute(opening).await?;
        let status = if outcome.replayed { StatusCode::OK } else { StatusCode::CREATED };
        if let Some(Pairs(metadata)) = self.metadata {
            // It replaces all metadata, so repeating it is harmless, and no key is needed.
            let setting =
                request(Command::Account(AccountCommand::SetMetadata { metadata }), IdempotencyKey::none());
            state.ledger.execute(setting).await?;
            return current(state, account, status).await;
        }
        match opened(account, &outcome) {
            Some(document) if !outcome.replayed => reply::write(status, false, &document),
            Some(_) | None => current(state, account, StatusCode::OK).await,
        }
    }
}

/// The account just after its opening.
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
            reply::write(status, false, &document)
        }
    }
}

/// Open an account
///
/// It is on the free plan from then on, with the credits of that plan.
/// If the account is already open, only its `metadata` is replaced, if the request has any.
/// The answer is the account as it is now.
#[utoipa::path(
    put, path = "/v1/accounts/{account}", operation_id = "open_account", tag = "Accounts",
    params(("account" = Id, Path)), request_body = Option<AccountRequest>,
    responses(
        (status = 201, description = "Opened.", body = AccountResponse),
        (status = 200, description = "It was already open.", body = AccountResponse),
        Problems<(AccountClosed, Unavailable, OutcomeUnknown, AccountDamaged)>,
    )
)]
pub async fn put(call: CommandCall<AccountRequest>) -> CallResult {
    call.execute().await
}

/// An account as it is now.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountNowResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    #[schema(value_type = Id)]
    plan: &'a PlanId,
    status: AccountStatus,
    /// Whether anything is sold to it: `on` or `off`
    #[schema(value_type = String)]
    billing: BillingState,
    #[schema(value_type = BalanceSchema)]
    balance: Balance,
    /// As it was sent.
    #[schema(value_type = Pairs)]
    metadata: &'a Metadata,
    #[schema(value_type = Place)]
    position: Token,
    #[schema(value_type = Time)]
    opened_at: Timestamp,
    #[schema(value_type = Option<Time>)]
    closed_at: Option<Timestamp>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// See an account
#[utoipa::path(
    get, path = "/v1/accounts/{account}", operation_id = "get_account", tag = "Accounts",
    params(("account" = Id, Path), SinceQuery),
    responses(
        (status = 200, description = "The account.", body = AccountNowResponse),
        Problems<(Reading, AccountNotFound)>,
    )
)]
pub async fn get(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(since): Query<SinceQuery>,
) -> Result<Response<Body>, Failure> {
    let now = now(&state, &of.account, since.min_position).await?;
    let opened = now.opened()?;
    let (status, closed_at) = match &now.account {
        Account::Unopened | Account::Open(_) => (AccountStatus::Open, None),
        Account::Closed(closed) => (AccountStatus::Closed, Some(closed.closed_at)),
    };
    let position = Token::of(now.position);
    let document = AccountNowResponse {
        account: &of.account,
        plan: opened.plan(now.at, state.ledger.catalog()),
        status,
        billing: state.billing.state_of(&of.account),
        balance: now.account.balance(now.at),
        metadata: &opened.metadata,
        position: position.clone(),
        opened_at: opened.opened_at,
        closed_at,
        as_of_position: position,
        lag_ms: 0,
    };
    fresh(now.position, &document)
}
