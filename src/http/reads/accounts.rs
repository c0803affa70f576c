//! Which accounts are there? For people who manage them.

use std::collections::BTreeMap;

use axum::{body::Body, extract::State, http::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    auth::keys::Caller,
    domain::{
        ids::{AccountId, PlanId, ProviderId},
        recorded::{JournalPosition, Position},
        time::Timestamp,
    },
    http::{
        AppState,
        commands::account::AccountStatus,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::ReadingModel,
        request::{Lists, Pair, Pairs, Query, Several},
        schema::{Id, Place, Time},
    },
    projections::accounts::{self, AccountCursor, AccountFilter, AccountRow, Among},
};

use super::{as_of, page::PageSize, wait};

const MODEL: &str = "accounts";

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AccountsQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// How the account's id begins. The list is then sorted by id, and can only be filtered by `customer`.
    prefix: Option<String>,
    /// A customer at Stripe that is linked to the account.
    #[param(value_type = Option<Id>)]
    customer: Option<ProviderId>,
    /// Only accounts on this plan, by the newest reports on their subscriptions.
    /// What also depends on the time, such as the end of the days of grace, is only in the answer for each account.
    #[param(value_type = Option<Id>)]
    plan: Option<PlanId>,
    /// Only accounts in this state.
    #[param(inline)]
    status: Option<AccountStatus>,
    /// Only accounts that have this text under this name in their metadata: `name:text`, such as `source:spring_mail`.
    /// The name ends at the first colon.
    #[param(value_type = Option<String>, example = "source:spring_mail")]
    metadata: Option<Pair>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<AccountListCursor>,
    /// How many accounts; 100 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

/// The last account of the page before: when it was opened, in microseconds, and its id.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct AccountListCursor(AccountCursor);

impl TryFrom<String> for AccountListCursor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let parse = |text: &str| {
            let (micros, account) = text.split_once('-')?;
            let opened_at = Timestamp::from_micros(micros.parse().ok()?)?;
            Some(AccountCursor { opened_at, account_id: AccountId::parse(account).ok()?.as_str().to_owned() })
        };
        parse(&text).map(Self).ok_or("it is not a `next_cursor` of an earlier page")
    }
}

impl AccountListCursor {
    fn after(row: &AccountRow) -> String {
        let AccountCursor { opened_at, account_id } = row.cursor();
        format!("{}-{account_id}", opened_at.micros())
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AccountsResponse<'a> {
    accounts: Vec<ListedAccountResponse<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ListedAccountResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a str,
    /// `open` or `closed`
    status: &'a str,
    #[schema(value_type = Time)]
    opened_at: Timestamp,
    /// The plan of the newest subscription that gives access by its newest report, else the free one.
    /// The plan by the time of the request is in the answer for each account.
    #[schema(value_type = Id)]
    plan: &'a str,
    #[schema(value_type = Option<Id>)]
    subscription: Option<&'a str>,
    subscription_status: Option<&'a str>,
    /// The customers at Stripe that are linked to it.
    #[schema(value_type = Vec<Id>)]
    customers: &'a [String],
    /// As it was sent.
    #[schema(value_type = Pairs)]
    metadata: &'a BTreeMap<String, String>,
    last_event: Option<LastEvent<'a>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LastEvent<'a> {
    /// Such as `CreditsDeducted`.
    r#type: &'a str,
    #[schema(value_type = Time)]
    recorded_at: Timestamp,
    /// The number of the event in the account's stream.
    sequence: i64,
    #[schema(value_type = Place)]
    position: Token,
}

impl<'a> From<&'a AccountRow> for ListedAccountResponse<'a> {
    fn from(AccountRow { standing, about }: &'a AccountRow) -> Self {
        Self {
            account: &standing.account_id,
            status: &standing.status,
            opened_at: standing.opened_at.into(),
            plan: &standing.plan,
            subscription: standing.subscription.as_deref(),
            subscription_status: standing.subscription_status.as_deref(),
            customers: &about.customers,
            metadata: &about.metadata,
            last_event: about.last.as_ref().map(|last| LastEvent {
                r#type: &last.event_type,
                recorded_at: last.recorded_at.into(),
                sequence: last.sequence,
                position: Token::of(JournalPosition::new(standing.shard(), Position(last.position))),
            }),
        }
    }
}

/// List accounts
///
/// The newest first. A key that is limited to some accounts sees only those.
#[utoipa::path(
    get, path = "/v1/accounts", operation_id = "list_accounts", tag = "Accounts", params(AccountsQuery),
    responses(
        (status = 200, description = "A page of accounts, with their plans.", body = AccountsResponse),
        Problems<ReadingModel>,
    )
)]
pub async fn list(
    State(state): State<AppState>,
    from: Several<Lists>,
    Query(asked): Query<AccountsQuery>,
) -> Result<Response<Body>, Failure> {
    let AccountsQuery { min_position, prefix, customer, plan, status, metadata, cursor, limit } = asked;
    if prefix.is_some() && (plan.is_some() || status.is_some() || metadata.is_some()) {
        return Err(Failure::query(
            "prefix",
            "it cannot be sent together with `plan`, `status` or `metadata`",
        ));
    }
    let standing = wait(&state, MODEL, None, min_position).await?;
    let filter = AccountFilter {
        status: status.map(Into::into),
        plan,
        attached: metadata.map(|Pair { name, text }| (name, text)),
        among: among(&state, &from.caller, prefix, customer).await?,
    };
    let after = cursor.map(|AccountListCursor(after)| after);
    let rows = accounts::page(&state.pool, &filter, after.as_ref(), limit.rows()).await?;
    let full = rows.len() == limit.get();
    let document = AccountsResponse {
        accounts: rows.iter().map(ListedAccountResponse::from).collect(),
        next_cursor: rows.last().filter(|_| full).map(AccountListCursor::after),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

/// Which accounts the caller sees, and which of these are looked for.
async fn among(
    state: &AppState,
    caller: &Caller,
    prefix: Option<String>,
    customer: Option<ProviderId>,
) -> Result<Among, Failure> {
    let named: Vec<AccountId> = match (&customer, caller.accounts()) {
        (Some(customer), _) => {
            let linked = accounts::of_customers(&state.pool, &[customer.as_str()]).await?;
            linked.iter().filter_map(|link| AccountId::parse(&link.account_id).ok()).collect()
        }
        (None, Some(own)) => own.iter().cloned().collect(),
        (None, None) => return Ok(prefix.map_or(Among::All, Among::Beginning)),
    };
    let begins =
        |account: &AccountId| prefix.as_ref().is_none_or(|prefix| account.as_str().starts_with(prefix));
    let seen = named.into_iter().filter(|account| caller.may_use(account) && begins(account));
    Ok(Among::Named(seen.map(|account| (state.ledger.shard_of(&account), account)).collect()))
}
