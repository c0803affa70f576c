//! Where did credits come from, and where did they go? Every movement, as JSON pages or one CSV file.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Response},
};
use bytes::Bytes;
use chrono_tz::Tz;
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        ids::{AccountId, GenerationId, GenerationType, GrantId},
        statement::LineKind,
        time::Timestamp,
    },
    http::{
        AppState, csv,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{AccountNotFound, ReadingModel},
        request::{AccountOf, Query, Reads},
        schema::{Id, Place, Time},
    },
    queries::{
        QueryError,
        statement::{
            Direction, Filter, StatementCursor, StatementLine, StatementPage, StatementPart, csv_header,
            csv_row, statement_export, statement_page,
        },
    },
};

use super::{as_of, page::PageSize, time::Moment, write_position};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StatementQuery {
    /// The answer includes everything up to this position, which an earlier answer had.
    #[param(value_type = Option<Place>)]
    min_position: Option<Token>,
    /// Only lines of this type.
    #[param(value_type = Option<String>)]
    r#type: Option<LineKind>,
    /// Effective at that time or later. A day is one of the catalog's time zone, as for usage.
    #[param(value_type = Option<String>)]
    from: Option<Moment>,
    /// Effective before that time, or until the end of that day.
    #[param(value_type = Option<String>)]
    to: Option<Moment>,
    #[param(value_type = Option<Id>)]
    generation_id: Option<GenerationId>,
    #[param(value_type = Option<Id>)]
    generation_type: Option<GenerationType>,
    /// `next_cursor` of the page before. A CSV file has all lines.
    cursor: Option<String>,
    /// How many lines; 100 if left out.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[serde(default)]
    limit: PageSize,
    #[serde(default)]
    order: StatementOrder,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatementOrder {
    #[default]
    NewestFirst,
    OldestFirst,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct StatementResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    lines: Vec<StatementLineResponse<'a>>,
    next_cursor: Option<String>,
    #[schema(value_type = Place)]
    as_of_position: Token,
    lag_ms: u64,
}

/// A movement of credits, with the balance after it.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatementLineResponse<'a> {
    #[schema(value_type = Place)]
    position: Token,
    /// The number of the event in the account's stream.
    sequence: i64,
    #[schema(value_type = Time)]
    effective_at: Timestamp,
    #[schema(value_type = Time)]
    recorded_at: Timestamp,
    /// The month in the catalog's time zone, such as `2025-06`.
    period: String,
    /// Such as `usage`, `allocation`, `top_up`, `refund`.
    r#type: &'a str,
    /// Signed: negative if credits were spent. The amounts of an account sum to its available and frozen credits.
    amount: i64,
    /// The available credits after this line, by what was known then.
    /// Credits that end at that time are already left out, even if the line that says so comes next, and so are frozen
    /// ones:
    /// `freeze` and `unfreeze` change only this.
    available: i64,
    held: i64,
    debt: i64,
    #[schema(value_type = Vec<Id>)]
    grant_ids: Vec<&'a str>,
    /// The text that was sent with it, such as the description of a deduction; else the type of generation; else a text
    /// for this type of line.
    description: &'a str,
    generation_id: Option<&'a str>,
    generation_type: Option<&'a str>,
}

impl<'a> StatementLineResponse<'a> {
    fn of(line: &'a StatementLine, zone: Tz) -> Self {
        Self {
            position: Token::of(line.at),
            sequence: line.sequence,
            effective_at: line.effective_at,
            recorded_at: line.recorded_at,
            period: line.period(zone),
            r#type: line.kind.name(),
            amount: line.amount,
            available: line.available,
            held: line.held,
            debt: line.debt,
            grant_ids: line.grants.iter().map(GrantId::as_str).collect(),
            description: line.words(),
            generation_id: line.generation_id.as_ref().map(GenerationId::as_str),
            generation_type: line.generation_type.as_ref().map(GenerationType::as_str),
        }
    }
}

/// See every movement
///
/// The newest first. With `Accept: text/csv`, all matching lines in one file, the oldest first.
/// There, your own texts that a spreadsheet would read as a formula begin with an apostrophe; numbers do not.
/// A page may have fewer lines than its limit, or none, while there is a `next_cursor`: the last page is the one
/// without it.
/// The line of credits that have just ended may be missing for a moment, until their end is recorded (about a second),
/// while the balance already leaves them out.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/statement", operation_id = "get_statement", tag = "Reports",
    params(("account" = Id, Path), StatementQuery),
    responses(
        (
        status = 200, description = "Movements of credits.",
        content((StatementResponse = "application/json"), (String = "text/csv"))
    ),
        Problems<(ReadingModel, AccountNotFound)>,
    )
)]
pub async fn statement(
    State(state): State<AppState>,
    of: AccountOf<Reads>,
    Query(asked): Query<StatementQuery>,
    headers: HeaderMap,
) -> Result<Response<Body>, Failure> {
    let cursor = asked.cursor.as_deref().map(StatementCursor::parse);
    let cursor = cursor.map(|cursor| cursor.ok_or_else(Failure::unknown_cursor)).transpose()?;
    let zone = state.ledger.catalog().time_zone;
    let (from, until) = (asked.from.map(|from| from.begin(zone)), asked.to.map(|to| to.end(zone)));
    if asked.from.zip(asked.to).is_some_and(|(from, to)| to.is_before(from, zone)) {
        return Err(Failure::query("to", "it is before `from`"));
    }
    let min_position = asked.min_position.map(Token::positions);
    let filter = Filter {
        kinds: asked.r#type.into_iter().collect(),
        from,
        until,
        generation_id: asked.generation_id,
        generation_type: asked.generation_type,
    };
    if csv::is_asked_for(&headers) {
        let export = statement_export(state.reports(), of.account, filter, min_position.as_ref());
        let (lines, standing) = export.await?;
        let mut response = csv::file(Body::from_stream(records(lines, zone)));
        write_position(&mut response, standing.position, standing.lag_ms);
        return Ok(response);
    }
    let direction = match asked.order {
        StatementOrder::NewestFirst => Direction::NewestFirst,
        StatementOrder::OldestFirst => Direction::OldestFirst,
    };
    let part = StatementPart { direction, after: cursor, limit: asked.limit.get() };
    let page = statement_page(state.reports(), (&of.account, &filter), part, min_position.as_ref()).await?;
    let StatementPage { lines, next, freshness: standing } = page;
    let document = StatementResponse {
        account: &of.account,
        lines: lines.iter().map(|line| StatementLineResponse::of(line, zone)).collect(),
        next_cursor: next.map(StatementCursor::token),
        as_of_position: Token::of(standing.position.clone()),
        lag_ms: standing.lag_ms,
    };
    as_of(standing.position, standing.lag_ms, &document)
}

fn records(
    lines: impl Stream<Item = Result<StatementLine, QueryError>>,
    zone: Tz,
) -> impl Stream<Item = std::io::Result<Bytes>> {
    let first = stream::once(async { csv::record(&csv_header()) });
    first.chain(lines.map(move |line| match line {
        Ok(line) => csv::record(&csv_row(&line, zone)),
        // The status has been sent already, so the connection is cut, to show that the answer is not complete.
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a statement was cut");
            Err(std::io::Error::other("the statement cannot be read on"))
        }
    }))
}
