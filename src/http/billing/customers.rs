//! How does a front end show and change what Stripe knows of a customer?
//! Data is passed through, and stored only at Stripe.

use axum::{
    body::Body,
    extract::State,
    http::{Response, StatusCode},
};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::time::Timestamp,
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        problems::{
            AccountClosed, AccountDamaged, AccountNotFound, AskingStripe, CustomerTaken, NoCustomer,
            OutcomeUnknown, SubscriptionActive, Unavailable,
        },
        request::{AccountOf, Bills, Json, JsonObject, JsonOrNothing, provenance},
        response::json,
        schema::{Id, Time},
    },
    stripe::client::{Address, CustomerDetails, StripeCustomer},
};

use super::inputs::is_email;

/// The longest name, telephone number or line of an address, in characters.
const LINE_CHARACTERS_MAX: usize = 200;

/// Details of a customer. A field that is left out stays as it is, and `null` removes it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "email": "ada@example.com", "name": "Ada Lovelace",
    "address": { "line1": "12 St James's Square", "city": "London", "postal_code": "SW1Y 4JH", "country": "GB" },
}))]
pub struct CustomerInput {
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>, max_length = 320)]
    email: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>, max_length = 200)]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>, max_length = 200)]
    phone: Option<Option<String>>,
    /// Replaces the whole address.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<AddressRequest>)]
    address: Option<Option<JsonObject<AddressRequest>>>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressRequest {
    #[schema(max_length = 200)]
    line1: Option<String>,
    #[schema(max_length = 200)]
    line2: Option<String>,
    #[schema(max_length = 200)]
    postal_code: Option<String>,
    #[schema(max_length = 200)]
    city: Option<String>,
    #[schema(max_length = 200)]
    state: Option<String>,
    /// ISO 3166-1, two capital letters.
    #[schema(pattern = "^[A-Z]{2}$")]
    country: Option<String>,
}

/// Distinguishes a field that is `null` from one that is absent.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl CustomerInput {
    fn into_details(self) -> Result<CustomerDetails, Failure> {
        if self.email.iter().flatten().any(|email| !is_email(email)) {
            return Err(Failure::body("$.email", "an e-mail address is expected"));
        }
        let line = |path: &str, text: Option<Option<String>>| {
            check_line(path, text.as_ref().and_then(Option::as_deref))
                .map(|()| text.map(Option::unwrap_or_default))
        };
        Ok(CustomerDetails {
            email: self.email.map(Option::unwrap_or_default),
            name: line("$.name", self.name)?,
            phone: line("$.phone", self.phone)?,
            address: self
                .address
                .map(|address| {
                    address.map_or_else(AddressRequest::default, |JsonObject(address)| address).into_address()
                })
                .transpose()?,
        })
    }
}

impl AddressRequest {
    fn into_address(self) -> Result<Address, Failure> {
        let Self { line1, line2, postal_code, city, state, country } = self;
        for (path, line) in [
            ("$.address.line1", &line1),
            ("$.address.line2", &line2),
            ("$.address.postal_code", &postal_code),
            ("$.address.city", &city),
            ("$.address.state", &state),
        ] {
            check_line(path, line.as_deref())?;
        }
        let is_country =
            |country: &String| country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
        if country.as_ref().is_some_and(|country| !is_country(country)) {
            return Err(Failure::body("$.address.country", "a country is two capital letters, such as `GB`"));
        }
        Ok(Address { line1, line2, postal_code, city, state, country })
    }
}

fn check_line(path: &str, text: Option<&str>) -> Result<(), Failure> {
    let text = text.unwrap_or_default();
    if text.chars().count() <= LINE_CHARACTERS_MAX && !text.chars().any(char::is_control) {
        return Ok(());
    }
    let expected = format!("at most {LINE_CHARACTERS_MAX} characters, none of them a control character");
    Err(Failure::body(path, expected))
}

/// A customer, as Stripe has it now.
#[derive(Serialize, ToSchema)]
#[schema(as = Customer, example = json!({
    "customer": "cus_1", "email": "ada@example.com", "name": "Ada Lovelace", "phone": null, "address": null,
    "default_payment_method": "pm_1", "is_delinquent": false, "created_at": "2025-06-01T00:00:00Z",
}))]
pub struct CustomerDocument<'a> {
    #[schema(value_type = Id)]
    customer: &'a str,
    email: Option<&'a str>,
    name: Option<&'a str>,
    phone: Option<&'a str>,
    address: Option<AddressResponse<'a>>,
    /// The payment method for invoices.
    #[schema(value_type = Option<Id>)]
    default_payment_method: Option<&'a str>,
    /// Whether the latest invoice is overdue.
    is_delinquent: bool,
    #[schema(value_type = Option<Time>)]
    created_at: Option<Timestamp>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Address)]
pub struct AddressResponse<'a> {
    line1: Option<&'a str>,
    line2: Option<&'a str>,
    postal_code: Option<&'a str>,
    city: Option<&'a str>,
    state: Option<&'a str>,
    country: Option<&'a str>,
}

impl<'a> From<&'a StripeCustomer> for CustomerDocument<'a> {
    fn from(seen: &'a StripeCustomer) -> Self {
        Self {
            customer: &seen.id,
            email: seen.email.as_deref(),
            name: seen.name.as_deref(),
            phone: seen.phone.as_deref(),
            address: seen.address.as_ref().map(AddressResponse::from),
            default_payment_method: seen.default_method(),
            is_delinquent: seen.delinquent == Some(true),
            created_at: seen.created.and_then(Timestamp::from_seconds),
        }
    }
}

impl<'a> From<&'a Address> for AddressResponse<'a> {
    fn from(address: &'a Address) -> Self {
        Self {
            line1: address.line1.as_deref(),
            line2: address.line2.as_deref(),
            postal_code: address.postal_code.as_deref(),
            city: address.city.as_deref(),
            state: address.state.as_deref(),
            country: address.country.as_deref(),
        }
    }
}

/// A customer that was deleted at Stripe.
#[derive(Serialize, ToSchema)]
pub struct DeletedCustomerResponse<'a> {
    #[schema(value_type = Id)]
    customer: &'a str,
    deleted: bool,
}

/// Make an account a customer
///
/// Makes a customer at Stripe, once, whichever request comes first.
/// The details in the body are sent to Stripe, and not stored here.
#[utoipa::path(
    put, path = "/v1/accounts/{account}/customer", operation_id = "become_customer", tag = "Customers",
    params(("account" = Id, Path)), request_body = Option<CustomerInput>,
    responses(
        (status = 201, description = "A customer was made.", body = CustomerDocument),
        (status = 200, description = "The account had a customer already.", body = CustomerDocument),
        Problems<(
            AskingStripe, CustomerTaken, AccountNotFound, AccountClosed, NoCustomer, Unavailable,
            OutcomeUnknown, AccountDamaged,
        )>,
    )
)]
pub async fn put(
    State(state): State<AppState>,
    to: AccountOf<Bills>,
    JsonOrNothing(input): JsonOrNothing<CustomerInput>,
) -> Result<Response<Body>, Failure> {
    let (details, provenance) = (input.into_details()?, provenance(&to.caller, &to.request_id));
    let became = state.billing.become_customer(&to.account, details, provenance).await?;
    let mut response = json(&CustomerDocument::from(&became.customer))?;
    if became.new {
        *response.status_mut() = StatusCode::CREATED;
    }
    Ok(response)
}

/// See the customer
///
/// As Stripe has it now.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/customer", operation_id = "get_customer", tag = "Customers",
    params(("account" = Id, Path)),
    responses(
        (status = 200, description = "The customer.", body = CustomerDocument),
        Problems<(AskingStripe, AccountNotFound, AccountClosed, NoCustomer)>,
    )
)]
pub async fn get(State(state): State<AppState>, of: AccountOf<Bills>) -> Result<Response<Body>, Failure> {
    json(&CustomerDocument::from(&state.billing.find_customer(&of.account).await?))
}

/// Change the customer's details
///
/// The details are sent to Stripe, and not stored here.
#[utoipa::path(
    patch, path = "/v1/accounts/{account}/customer", operation_id = "update_customer", tag = "Customers",
    params(("account" = Id, Path)), request_body = CustomerInput,
    responses(
        (status = 200, description = "The customer, as it is now.", body = CustomerDocument),
        Problems<(AskingStripe, AccountNotFound, AccountClosed, NoCustomer)>,
    )
)]
pub async fn patch(
    State(state): State<AppState>,
    to: AccountOf<Bills>,
    Json(input): Json<CustomerInput>,
) -> Result<Response<Body>, Failure> {
    let customer = state.billing.describe_customer(&to.account, input.into_details()?).await?;
    json(&CustomerDocument::from(&customer))
}

/// Delete the customer
///
/// Deletes the customer at Stripe for good, with all personal data there.
/// This is refused while there is a subscription.
/// The account and its credits stay. The link ends when Stripe reports the deletion, and a later customer is a new one.
#[utoipa::path(
    delete, path = "/v1/accounts/{account}/customer", operation_id = "delete_customer", tag = "Customers",
    params(("account" = Id, Path)),
    responses(
        (status = 200, description = "Deleted.", body = DeletedCustomerResponse),
        Problems<(AskingStripe, AccountNotFound, AccountClosed, NoCustomer, SubscriptionActive)>,
    )
)]
pub async fn delete(State(state): State<AppState>, of: AccountOf<Bills>) -> Result<Response<Body>, Failure> {
    let customer = state.billing.delete_customer(&of.account).await?;
    json(&DeletedCustomerResponse { customer: customer.as_str(), deleted: true })
}
