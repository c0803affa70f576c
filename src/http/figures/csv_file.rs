//! How are figures answered as a CSV file? With the position that they include, as other answers have.

use axum::{body::Body, http::Response};

use crate::{
    http::{csv, failure::Failure, response::write_position},
    queries::{Freshness, csv::table},
};

/// # Errors
/// Never, since the file is written to memory.
pub(super) fn file<const COLUMNS: usize>(
    columns: &[&str; COLUMNS],
    lines: &[[String; COLUMNS]],
    standing: Freshness,
) -> Result<Response<Body>, Failure> {
    let lines = table(columns, lines).map_err(Failure::fault)?;
    let mut response = csv::file(Body::from(lines));
    write_position(&mut response, standing.position, standing.lag_ms);
    Ok(response)
}
