//! What has happened to this account? Its stream of events, as it is stored.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Response, header},
};
use bytes::Bytes;
use futures::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        ids::AccountId,
        recorded::{EventMetadata, Origin, RecordedEvent},
        time::Timestamp,
    },
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{AccountNotFound, Reading},
        request::{AccountOf, Query, Reads},
        schema::{Id, Place, Time},
    },
};

use super::{
    fresh, now,
    page::{PAGE_ITEMS_MAX, PageSize},
    write_position,
};

const NDJSON: &str = "application/x-ndjson";

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<EventCursor>,
    /// How many events a page has; 100 if left out. NDJSON has all of them.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
}

/// The sequence of the last event of the page before.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
struct EventCursor(i64);

impl TryFrom<String> for EventCursor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let number = text.strip_prefix('e').and_then(|number| number.parse().ok());
        number.filter(|number| *number >= 0).map(Self).ok_or("it is not a `next_cursor` of an earlier page")
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct EventsResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    events: Vec<EventResponse<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// An event of the account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventResponse<'a> {
    #[schema(value_type = Place)]
    position: Token,
    /// From 1, without gaps, within the account.
    sequence: i64,
    /// Such as `CreditsDeducted`.
    r#type: &'static str,
    /// When it took effect.
    #[schema(value_type = Time)]
    effective_at: Timestamp,
    /// When it was stored.
    #[schema(value_type = Time)]
    recorded_at: Timestamp,
    /// What happened. Each type has its own fields, and they never change.
    #[schema(value_type = Object)]
    data: Value,
    /// Where it came from, and the balance after it.
    #[schema(value_type = Object)]
    metadata: EventMetadataResponse<'a>,
}

/// The metadata as it is stored, with what is left out there because it is nearly always the same.
#[derive(Debug, Serialize)]
struct EventMetadataResponse<'a> {
    /// `None`: it is among the stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
    #[serde(flatten)]
    stored: &'a EventMetadata,
}

impl<'a> EventResponse<'a> {
    fn of(recorded: &'a RecordedEvent) -> Result<Self, Failure> {
        // Stored events are wrapped in their names; here the name is a member of its own.
        let mut named = serde_json::to_value(&recorded.event).map_err(Failure::fault)?;
        let data = named.get_mut(recorded.event.name()).map_or(Value::Null, Value::take);
        Ok(Self {
            position: Token::of(recorded.at()),
            sequence: recorded.sequence,
            r#type: recorded.event.name(),
            effective_at: recorded.event.effective_at(),
            recorded_at: recorded.recorded_at,
            data,
            metadata: EventMetadataResponse {
                origin: (recorded.metadata.origin == Origin::Api).then_some(Origin::Api),
                stored: &recorded.metadata,
            },
        })
    }
}

/// Read the stream
///
/// A page of it as JSON; or, with `Accept: application/x-ndjson`, all events after the cursor, one a line.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/events", operation_id = "list_events", tag = "Accounts",
    params(("account" = Id, Path), EventsQuery),
    responses(
        (
        status = 200, description = "What happened, the oldest first.",
        content((EventsResponse = "application/json"), (String = "application/x-ndjson"))
    ),
        Problems<(Reading, AccountNotFound)>,
    )
)]
pub async fn list(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(asked): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response<Body>, Failure> {
    let now = now(&state, &of.account, asked.min_position).await?;
    now.opened()?;
    let after = asked.cursor.unwrap_or_default().0;
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accept.split([',', ';']).any(|kind| kind.trim() == NDJSON) {
        let mut response = Response::new(Body::from_stream(lines(state, of.account, after)));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON));
        write_position(&mut response, now.position, 0);
        return Ok(response);
    }
    let limit = asked.limit.rows();
    let mut found = state.ledger.stream(&of.account, after, limit.saturating_add(1)).await?;
    let more = found.len() > asked.limit.get();
    found.truncate(asked.limit.get());
    let document = EventsResponse {
        account: &of.account,
        next_cursor: found.last().filter(|_| more).map(|last| format!("e{}", last.sequence)),
        events: found.iter().map(EventResponse::of).collect::<Result<_, _>>()?,
        as_of_position: Token::of(now.position),
        lag_ms: 0,
    };
    fresh(now.position, &document)
}

/// The stream in parts. Each is read when the one before has been sent.
fn lines(
    state: AppState,
    account: AccountId,
    after: i64,
) -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> {
    stream::unfold(Some(after), move |after| {
        let (state, account) = (state.clone(), account.clone());
        async move {
            let after = after?;
            match piece(&state, &account, after).await {
                Ok((_, last)) if last.is_none() => None,
                Ok((bytes, last)) => Some((Ok(bytes), last)),
                // The status has been sent already, so the connection is cut, to show that the answer is not complete.
                Err(failure) => {
                    let (account, error) = (account.as_str(), failure.cause());
                    tracing::error!(account, after, error, "a stream of events was cut");
                    Some((Err(std::io::Error::other("the stream cannot be read on")), None))
                }
            }
        }
    })
}

async fn piece(state: &AppState, account: &AccountId, after: i64) -> Result<(Bytes, Option<i64>), Failure> {
    let limit = i64::try_from(PAGE_ITEMS_MAX).unwrap_or(i64::MAX);
    let found = state.ledger.stream(account, after, limit).await?;
    let mut bytes = Vec::new();
    for recorded in &found {
        serde_json::to_writer(&mut bytes, &EventResponse::of(recorded)?).map_err(Failure::fault)?;
        bytes.push(b'\n');
    }
    Ok((bytes.into(), found.last().map(|last| last.sequence)))
}
