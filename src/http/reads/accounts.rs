//! Which accounts are there? For whoever looks after them.

use axum::{body::Body, extract::State, http::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        names::{AccountId, ProviderId},
        time::Timestamp,
    },
    http::{
        AppState,
        failure::Failure,
        position::Token,
        request::{All, Lists, Query},
        schema::{Id, Place, Time},
    },
    journal::recorded::Position,
    projections::accounts::{self, AccountCursor, AccountFilter, AccountRow},
};

use super::{as_of, model::wait, page::Limit};

const MODEL: &str = "accounts";

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AccountsAsked {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// How the account's id begins.
    prefix: Option<String>,
    /// A customer at Stripe that stands for the account.
    #[param(value_type = Option<Id>)]
    customer: Option<ProviderId>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
    /// How many accounts; 100 when it is not said.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: Limit,
}

/// The account that was seen last: when it was opened, in microseconds, and its id.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Cursor(AccountCursor);

impl TryFrom<String> for Cursor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let parse = |text: &str| {
            let (micros, account) = text.split_once('-')?;
            let opened_at = Timestamp::from_micros(micros.parse().ok()?)?;
            Some(AccountCursor { opened_at, account_id: AccountId::parse(account).ok()?.as_str().to_owned() })
        };
        parse(&text).map(Self).ok_or("it is none that an earlier page had")
    }
}

impl Cursor {
    fn after(row: &AccountRow) -> String {
        let AccountCursor { opened_at, account_id } = row.cursor();
        format!("{}-{account_id}", opened_at.micros())
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Accounts<'a> {
    accounts: Vec<ListedAccount<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ListedAccount<'a> {
    #[schema(value_type = Id)]
    account: &'a str,
    /// `open` or `closed`
    status: &'a str,
    #[schema(value_type = Time)]
    opened_at: Timestamp,
    /// The plan of the newest subscription that gives access, else the free one.
    #[schema(value_type = Id)]
    plan: &'a str,
    #[schema(value_type = Option<Id>)]
    subscription: Option<&'a str>,
    subscription_status: Option<&'a str>,
    /// The customers at Stripe that stand for it.
    #[schema(value_type = Vec<Id>)]
    customers: &'a [String],
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

impl<'a> From<&'a AccountRow> for ListedAccount<'a> {
    fn from(row: &'a AccountRow) -> Self {
        let last = (&row.last_event, row.last_event_at, row.last_sequence, row.last_position);
        Self {
            account: &row.account_id,
            status: &row.status,
            opened_at: row.opened_at.into(),
            plan: &row.plan,
            subscription: row.subscription.as_deref(),
            subscription_status: row.subscription_status.as_deref(),
            customers: &row.customers,
            last_event: match last {
                (Some(name), Some(recorded_at), Some(sequence), Some(position)) => Some(LastEvent {
                    r#type: name,
                    recorded_at: recorded_at.into(),
                    sequence,
                    position: Token::of(Position(position)),
                }),
                _ => None,
            },
        }
    }
}

/// List accounts
///
/// The one that was opened last first.
#[utoipa::path(
    get, path = "/v1/accounts", operation_id = "list_accounts", tag = "Accounts", params(AccountsAsked),
    responses((status = 200, description = "Accounts, and what they are on.", body = Accounts))
)]
pub async fn list(
    State(state): State<AppState>,
    _caller: All<Lists>,
    Query(asked): Query<AccountsAsked>,
) -> Result<Response<Body>, Failure> {
    let standing = wait(&state, MODEL, None, asked.min_position).await?;
    let filter = AccountFilter { account: None, prefix: asked.prefix, customer: asked.customer };
    let after = asked.cursor.map(|Cursor(after)| after);
    let rows = accounts::page(&state.pool, &filter, after.as_ref(), asked.limit.rows()).await?;
    let full = rows.len() == asked.limit.get();
    let document = Accounts {
        accounts: rows.iter().map(ListedAccount::from).collect(),
        next_cursor: rows.last().filter(|_| full).map(Cursor::after),
        as_of_position: Token::of(standing.position),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}
