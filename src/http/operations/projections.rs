//! What is the state of the read models?

use axum::{body::Body, extract::State, http::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        recorded::{JournalPosition, Position},
        time::Timestamp,
    },
    http::{
        AppState,
        failure::Failure,
        position::Token,
        request::{All, Operates},
        response::json,
        schema::{Id, Place, Time},
    },
    projector::{ProjectionListing, ProjectionState},
};

#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectionsResponse<'a> {
    projections: Vec<ProjectionResponse<'a>>,
}

/// One version of a read model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Projection)]
pub struct ProjectionResponse<'a> {
    name: &'a str,
    version: i32,
    shard: i16,
    /// `live`, `rebuilding`, `stopped` or `old`
    #[schema(value_type = String)]
    state: &'static str,
    /// How much of the journal a rebuild has processed.
    percent: Option<u8>,
    /// Why it stopped.
    reason: Option<&'a str>,
    #[schema(value_type = Place)]
    position: Token,
    /// How many events it has not processed yet.
    lag_events: i64,
    /// The age of the oldest of these, in milliseconds.
    lag_ms: i64,
    parked: Vec<ParkedResponse<'a>>,
}

/// An account with an event that could not be applied; its later events wait.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ParkedAccount)]
pub struct ParkedResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a str,
    #[schema(value_type = Place)]
    position: Token,
    reason: &'a str,
    #[schema(value_type = Time)]
    parked_at: Timestamp,
}

impl<'a> From<&'a ProjectionListing> for ProjectionResponse<'a> {
    fn from(listing: &'a ProjectionListing) -> Self {
        let (state, percent, reason) = match &listing.state {
            ProjectionState::Live => ("live", None, None),
            ProjectionState::Rebuilding { percent } => ("rebuilding", Some(*percent), None),
            ProjectionState::Stopped { reason } => ("stopped", None, Some(reason.as_str())),
            ProjectionState::Old => ("old", None, None),
        };
        let place = |position| Token::of(JournalPosition::new(listing.shard, position));
        let parked = listing.parked.iter().map(|parked| ParkedResponse {
            account: &parked.account_id,
            position: place(Position(parked.position)),
            reason: &parked.reason,
            parked_at: parked.parked_at.into(),
        });
        Self {
            name: &listing.projection,
            version: listing.version,
            shard: listing.shard.0,
            state,
            percent,
            reason,
            position: place(listing.position),
            lag_events: listing.lag_events,
            lag_ms: listing.lag_ms,
            parked: parked.collect(),
        }
    }
}

/// List read models
#[utoipa::path(
    get, path = "/v1/projections", operation_id = "list_projections", tag = "Server",
    responses((status = 200, description = "Every version of every read model.", body = ProjectionsResponse))
)]
pub async fn list(State(state): State<AppState>, _from: All<Operates>) -> Result<Response<Body>, Failure> {
    let listings = state.projector.list().await?;
    json(&ProjectionsResponse { projections: listings.iter().map(ProjectionResponse::from).collect() })
}
