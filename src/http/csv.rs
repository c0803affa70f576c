//! How is a table answered as a CSV file? If `Accept` names it.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Response, header},
};
use bytes::Bytes;

const CSV: &str = "text/csv";

#[must_use]
pub fn is_asked_for(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.split([',', ';']).any(|kind| kind.trim() == CSV)
}

/// One line. Texts that a spreadsheet would read as a formula were escaped before.
///
/// # Errors
/// Never, since it is written to memory.
pub fn record<T: AsRef<[u8]>>(fields: &[T]) -> std::io::Result<Bytes> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields)?;
    writer.into_inner().map(Bytes::from).map_err(|error| std::io::Error::other(error.to_string()))
}

/// The answer with all lines, of which the first has the names of the columns.
#[must_use]
pub fn file(lines: Body) -> Response<Body> {
    let mut response = Response::new(lines);
    let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
