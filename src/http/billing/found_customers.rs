//! Which customers have this e-mail address? Only Stripe has addresses: they are sent to it, and not stored here.

use axum::{body::Body, extract::State, http::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    auth::keys::Caller,
    domain::{ids::AccountId, time::Timestamp},
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{AskingStripe, ReadingModel},
        request::{Bills, Query, Several},
        response::as_of,
        schema::{Id, Place, Time},
        since::wait,
    },
    projections::accounts::{self, Linked},
    stripe::client::FoundCustomer,
};

use super::inputs::is_email;

const MODEL: &str = "accounts";

// Neither type implements `Debug`, so that no address gets into a log.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CustomersQuery {
    /// The address as Stripe has it, in the same case.
    #[param(value_type = String, max_length = 320, example = "ada@example.com")]
    email: Email,
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Email(String);

impl TryFrom<String> for Email {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if is_email(&text) { Ok(Self(text)) } else { Err("an e-mail address is expected") }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CustomersResponse<'a> {
    customers: Vec<FoundCustomerResponse<'a>>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// A customer at Stripe, and an account that it is linked to. A customer of several accounts is listed with each.
#[derive(Debug, Serialize, ToSchema)]
pub struct FoundCustomerResponse<'a> {
    #[schema(value_type = Id)]
    customer: &'a str,
    /// `null`: it is linked to no account.
    #[schema(value_type = Option<Id>)]
    account: Option<&'a str>,
    #[schema(value_type = Option<Time>)]
    created_at: Option<Timestamp>,
}

/// Find customers by their e-mail address
///
/// As Stripe has them now, the newest first, at most 1,000.
/// The address is sent to Stripe, and not stored here.
/// A key that is limited to some accounts sees only their customers.
#[utoipa::path(
    get, path = "/v1/customers", operation_id = "find_customers", tag = "Customers", params(CustomersQuery),
    responses(
        (status = 200, description = "Customers, and the accounts that they are linked to.", body = CustomersResponse),
        Problems<(AskingStripe, ReadingModel)>,
    )
)]
pub async fn find(
    State(state): State<AppState>,
    from: Several<Bills>,
    Query(asked): Query<CustomersQuery>,
) -> Result<Response<Body>, Failure> {
    let standing = wait(&state, MODEL, None, asked.min_position).await?;
    let found = state.billing.customers_with(&asked.email.0).await?;
    let ids: Vec<&str> = found.iter().map(|customer| customer.id.as_str()).collect();
    let links = accounts::of_customers(&state.pool, &ids).await?;
    let document = CustomersResponse {
        customers: found.iter().flat_map(|customer| seen(customer, &links, &from.caller)).collect(),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

/// A customer, with each account that the caller may see it with.
fn seen<'a>(
    customer: &'a FoundCustomer,
    links: &'a [Linked],
    caller: &Caller,
) -> Vec<FoundCustomerResponse<'a>> {
    let with = |account| FoundCustomerResponse {
        customer: &customer.id,
        account,
        created_at: customer.created.and_then(Timestamp::from_seconds),
    };
    let mut own = links.iter().filter(|link| link.customer == customer.id).peekable();
    if own.peek().is_none() {
        return if caller.may_use_all() { vec![with(None)] } else { Vec::new() };
    }
    let accounts = own.map(|link| link.account_id.as_str());
    let may_see = |account: &&str| AccountId::parse(account).is_ok_and(|account| caller.may_use(&account));
    accounts.filter(may_see).map(Some).map(with).collect()
}
