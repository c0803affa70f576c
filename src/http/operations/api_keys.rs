//! How are API keys made, listed and revoked?

use std::collections::BTreeSet;

use axum::{
    body::Body,
    extract::{Path, State},
    http::{Response, StatusCode},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    auth::keys::{self, ApiKey, KeyScope, NewKey},
    domain::{ids::AccountId, time::Timestamp},
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        problems::{ApiKeyNotFound, TargetError},
        request::{Administers, All, Json, Text, words},
        response::json,
        schema::{Id, Time},
    },
};

/// The largest number that the table can hold.
const REQUESTS_PER_MINUTE_MAX: u32 = 2_147_483_647;

/// A key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "render farm", "scopes": ["deduct", "read"] }))]
pub struct CreateKeyRequest {
    name: Text,
    /// Duplicates are ignored.
    #[schema(value_type = Vec<KeyScope>, min_items = 1)]
    #[serde(deserialize_with = "words")]
    scopes: BTreeSet<KeyScope>,
    /// The only accounts that it may use; all accounts if left out.
    #[schema(value_type = Option<Vec<Id>>)]
    #[serde(default)]
    accounts: Option<BTreeSet<AccountId>>,
    /// Never if left out.
    #[schema(value_type = Option<Time>)]
    #[serde(default)]
    expires_at: Option<Timestamp>,
    /// The server's default if left out; 0: no limit.
    #[schema(minimum = 0, maximum = 2147483647)]
    #[serde(default)]
    requests_per_minute: Option<u32>,
}

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct KeyResponse {
    #[schema(value_type = Id)]
    id: String,
    name: String,
    /// The first characters of the secret; empty if it was not made here.
    prefix: String,
    scopes: BTreeSet<KeyScope>,
    #[schema(value_type = Option<Vec<Id>>)]
    accounts: Option<BTreeSet<AccountId>>,
    requests_per_minute: Option<u32>,
    #[schema(value_type = Time)]
    created_at: Timestamp,
    #[schema(value_type = Option<Time>)]
    expires_at: Option<Timestamp>,
    /// To the minute.
    #[schema(value_type = Option<Time>)]
    last_used_at: Option<Timestamp>,
    #[schema(value_type = Option<Time>)]
    revoked_at: Option<Timestamp>,
}

impl From<ApiKey> for KeyResponse {
    fn from(key: ApiKey) -> Self {
        let ApiKey { id, name, prefix, scopes, accounts, requests_per_minute, .. } = key;
        let ApiKey { created_at, expires_at, last_used_at, revoked_at, .. } = key;
        Self {
            id,
            name,
            prefix,
            scopes,
            accounts,
            requests_per_minute,
            created_at,
            expires_at,
            last_used_at,
            revoked_at,
        }
    }
}

/// A key that was just made. Its secret is not shown again.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedKeyResponse {
    secret: String,
    key: KeyResponse,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct KeysResponse {
    api_keys: Vec<KeyResponse>,
}

/// Make a key
///
/// The answer has the secret, which is not stored and not shown again.
#[utoipa::path(
    post, path = "/v1/api-keys", operation_id = "create_api_key", tag = "API keys",
    request_body = CreateKeyRequest,
    responses((status = 201, description = "Made.", body = CreatedKeyResponse))
)]
pub async fn create(
    State(state): State<AppState>,
    _from: All<Administers>,
    Json(order): Json<CreateKeyRequest>,
) -> Result<Response<Body>, Failure> {
    if order.scopes.is_empty() {
        return Err(Failure::body("$.scopes", "a key has at least one scope"));
    }
    if order.requests_per_minute.is_some_and(|requests| requests > REQUESTS_PER_MINUTE_MAX) {
        let expected = format!("at most {REQUESTS_PER_MINUTE_MAX}, or 0 for no limit");
        return Err(Failure::body("$.requests_per_minute", expected));
    }
    let now = state.ledger.clock().now();
    if order.expires_at.is_some_and(|end| end <= now) {
        return Err(Failure::body("$.expires_at", "it is in the past"));
    }
    let new = NewKey {
        name: order.name.into(),
        mode: state.mode,
        scopes: order.scopes,
        accounts: order.accounts,
        expires_at: order.expires_at,
        requests_per_minute: order.requests_per_minute,
    };
    let created = keys::create(&state.pool, state.ledger.clock(), new).await?;
    let secret = created.secret.reveal().to_owned();
    let mut response = json(&CreatedKeyResponse { secret, key: created.key.into() })?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// List keys
#[utoipa::path(
    get, path = "/v1/api-keys", operation_id = "list_api_keys", tag = "API keys",
    responses((status = 200, description = "All keys, the oldest first, without their secrets.", body = KeysResponse))
)]
pub async fn list(State(state): State<AppState>, _from: All<Administers>) -> Result<Response<Body>, Failure> {
    let keys = keys::list(&state.pool).await?;
    json(&KeysResponse { api_keys: keys.into_iter().map(KeyResponse::from).collect() })
}

/// Revoke a key
///
/// For good. This server refuses the key at once, others within ten seconds.
#[utoipa::path(
    delete, path = "/v1/api-keys/{key}", operation_id = "revoke_api_key", tag = "API keys",
    params(("key" = Id, Path, description = "The key's id, not its secret.")),
    responses((status = 200, description = "Revoked.", body = KeyResponse), Problems<ApiKeyNotFound>)
)]
pub async fn revoke(
    State(state): State<AppState>,
    _from: All<Administers>,
    Path(id): Path<String>,
) -> Result<Response<Body>, Failure> {
    // Key ids have the same form as other identifiers.
    let id = AccountId::parse(&id).map_err(|error| Failure::address("key", error.to_string()))?;
    let revoked = keys::revoke(&state.pool, state.ledger.clock(), id.as_str()).await?;
    state.keys.forget(id.as_str());
    json(&KeyResponse::from(revoked.ok_or(TargetError::ApiKeyNotFound)?))
}
