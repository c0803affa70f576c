//! Which shard is an account in, and which instance writes it? For clients that send each command to its writer.

use axum::{body::Body, extract::State, http::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{
    AppState,
    failure::Failure,
    request::{Commands, Several},
    response::json,
};

/// The shards of the journal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Shards)]
pub struct ShardsResponse {
    /// For each part of the accounts, its shard. Unless the ledger was grown, an account is in the part whose place in
    /// this list, from 0, is the first four bytes of the SHA-256 digest of its id, as a number with the highest byte
    /// first, modulo the length of the list.
    shards: Vec<ShardResponse>,
    /// Whether the ledger was grown. Then accounts that were opened before are in other shards than later ones, which
    /// only the instances know: send commands to any of them.
    grown: bool,
}

/// A shard, which has an order of events of its own.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Shard)]
pub struct ShardResponse {
    shard: i16,
    /// The address of the instance that writes it now. Missing: the instances do not know each other's.
    #[serde(skip_serializing_if = "Option::is_none")]
    writer: Option<String>,
}

/// List shards
///
/// Every instance executes every command. With several shards and instances, those that are sent to the instance that
/// writes the account are not passed on, and answered sooner.
#[utoipa::path(
    get, path = "/v1/shards", operation_id = "list_shards", tag = "Server",
    responses((status = 200, description = "The shards, by part of the accounts.", body = ShardsResponse))
)]
pub async fn list(
    State(state): State<AppState>,
    _from: Several<Commands>,
) -> Result<Response<Body>, Failure> {
    let known = state.ledger.shards();
    let grown = known.shardings() > 1;
    let shards = known
        .iter()
        .map(|shard| ShardResponse { shard: shard.0, writer: state.instances.writer_address(shard) });
    json(&ShardsResponse { shards: shards.collect(), grown })
}
